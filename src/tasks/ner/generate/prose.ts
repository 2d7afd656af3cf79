/** Composes plain sentences about work that hold no entity, so that text outside entities varies too. */
import type { Rng } from "../../../data/rng.ts";

const list = (text: string): string[] => text.split("|");

const VERBS = list(
  "Managed|Led|Created|Improved|Coordinated|Analysed|Delivered|Implemented|Planned|Established|Handled|Monitored|Streamlined|Supported|Evaluated|Prepared|Resolved|Maintained|Launched|Oversaw|Facilitated|Drove|Reviewed|Assisted in|Contributed to|Responsible for|Involved in|Worked on|Participated in|In charge of|Ensured|Executed|Documented|Identified|Spearheaded|Owned|Tracked|Verified",
);
const QUALITIES = list(
  "daily|cross-functional|key|internal|new|monthly|global|end-to-end|strategic|customer-facing|regional|complex|critical|technical|in-house|long-term|existing|annual|high-volume|operational",
);
const OBJECTS = list(
  "operations|projects|reports|processes|teams|requirements|relationships with stakeholders|schedules|training sessions|budgets|orders|incidents|tickets|documentation|contracts|deliverables|presentations|activities|standards|policies|improvements|shipments|surveys|meetings|accounts|records|deadlines|releases|audits|inquiries",
);
const TAILS = list(
  "across several departments|within the given time|on a daily basis|in line with company policy|as part of a team of five|for senior management|to meet business needs|under minimal supervision|while reducing costs|and reported the results|from planning to delivery|according to client specifications|and shared best practices|with a focus on quality|in a fast-paced environment|during the peak season|ensuring high satisfaction|for more than 200 users|before the deadline|at three sites|which saved 20 hours a week|and proposed corrective actions",
);

/** A sentence without its final stop. */
export function sentence(rng: Rng): string {
  const object = () => `${rng.chance(0.6) ? `${rng.pick(QUALITIES)} ` : ""}${rng.pick(OBJECTS)}`;
  const objects = rng.chance(0.3) ? `${object()} and ${object()}` : object();
  const tail = rng.chance(0.6) ? ` ${rng.pick(TAILS)}` : "";
  return `${rng.pick(VERBS)} ${objects}${tail}`;
}
