/** The lesser sections of a made-up resume, which hold much that looks like an entity and is none. */
import { INTERESTS, LANGUAGES } from "./lexicon.ts";
import { heading, joinSkills, mark, task, type Writer } from "./writer.ts";

/** Sections without entities, or with things that look like entities of the person and are not. */
export const OTHER_SECTIONS: readonly ((w: Writer) => void)[] = [
  (w) => {
    heading(w, "languages");
    w.out
      .add(w.rng.sample(LANGUAGES, w.rng.int(1, 4)).join(w.rng.pick([", ", "\n", " (fluent), "])))
      .add("\n");
  },
  (w) => {
    heading(w, "interests");
    w.out.add(w.rng.sample(INTERESTS, w.rng.int(2, 5)).join(", ")).add(".\n");
  },
  (w) => {
    heading(w, "awards");
    for (let i = w.rng.int(1, 3); i > 0; i--) {
      const year = w.rng.int(w.now - 9, w.now);
      w.out
        .add(w.style.bullet)
        .add(
          w.rng.pick([
            `Best team award, ${year}`,
            `Certified by the national board (${year})`,
            `Winner of the ${w.person.last} cup in ${year}`,
            `First prize, ${w.facts.person().last} competition`,
          ]),
        )
        .add("\n");
    }
  },
  (w) => {
    heading(w, "projects");
    for (let i = w.rng.int(1, 3); i > 0; i--) {
      w.out.add(w.rng.pick([`Project ${i}: `, "Title: ", w.style.bullet]));
      task(w);
      w.out.add("\n");
      if (w.rng.chance(0.4)) {
        w.out.add(w.rng.pick(["Environment: ", "Technologies used: ", "Tools: "]));
        joinSkills(w, w.facts.skills(w.trade, w.rng.int(1, 4)), ", ");
        w.out.add("\n");
      }
      if (w.rng.chance(0.3))
        w.out.add(`Client: ${w.facts.company()}\nTeam size: ${w.rng.int(2, 12)}\n`);
    }
  },
  (w) => {
    heading(w, "references");
    if (w.rng.chance(0.5)) w.out.add("Available on request\n");
    else w.out.add(`${w.facts.person().full}, phone ${w.facts.phone()}\n`);
  },
  (w) => {
    heading(w, "personal");
    w.out.add(`Date of birth: ${w.rng.int(1, 28)}.${w.rng.int(1, 12)}.${w.now - w.years - 22}\n`);
    w.out.add(
      `Father's name: ${w.facts.person().full}\nNationality: ${w.rng.pick(["Indian", "German", "American", "Polish"])}\n`,
    );
    if (w.rng.chance(0.5)) w.out.add(`Marital status: ${w.rng.pick(["single", "married"])}\n`);
  },
  (w) => {
    w.out
      .endLine()
      .add("I hereby declare that the above information is true to the best of my knowledge.\n");
    w.out.fill(
      w.rng.pick(["Place: {place}\n({name})\n", "Date:\t\tPlace: {place}\n{name}\n", "{name}\n"]),
      {
        place: mark(w, "Location", w.facts.location()),
        name: mark(w, "Name", w.printedName),
      },
    );
  },
];
