/** The main sections of a made-up resume, each in many layouts. */
import {
  duration,
  entity,
  heading,
  joinSkills,
  mark,
  markEntry,
  skill,
  task,
  type Writer,
} from "./writer.ts";

type Slots = Record<string, () => void>;

/** Name, title, place and addresses at the top. */
export function header(w: Writer): void {
  const { out, rng, facts, style } = w;
  if (rng.chance(0.12))
    out.add(rng.pick(["RESUME\n", "Curriculum Vitae\n", "CV\n", "BIO-DATA\n\n"]));
  out.fill(
    rng.pick([
      "{name}\n",
      "{name}\n",
      "{name}\n",
      "Name: {name}\n",
      "{name}, {title}\n",
      "{name}{column}{place}\n",
      "Curriculum Vitae of {name}\n",
      "Name : {name}\n",
    ]),
    {
      name: mark(w, "Name", w.printedName),
      title: mark(w, "Designation", w.title),
      place: mark(w, "Location", facts.location()),
      column: () => out.add(style.column),
    },
  );
  if (rng.chance(0.5)) out.fill("{title}\n", { title: mark(w, "Designation", w.title) });
  const email = facts.email(w.person);
  const parts = rng.sample(
    [
      rng.pick(["{email}", "Email: {email}", "E-mail : {email}", "Email ID - {email}", "{email}"]),
      rng.pick(["{phone}", "Phone: {phone}", "Mobile No.: {phone}", "Tel. {phone}"]),
      rng.pick([
        "{place}",
        "{place}",
        "Location: {place}",
        "Address: {street}, {place}",
        "{street}, {place}",
      ]),
      rng.pick(["Email me on JobSite: {profile}", "https://{web}", "LinkedIn: {web}", "{profile}"]),
    ],
    rng.int(1, 4),
  );
  const between = rng.chance(0.5) ? "\n" : rng.pick([style.column, " | ", "  "]);
  const person = w.person.last.toLowerCase().replace(/[^a-z]/g, "") || "me";
  out.fill(parts.join(between), {
    email: mark(w, "Email Address", email),
    phone: () => out.add(facts.phone()),
    place: mark(w, "Location", facts.location()),
    street: () => out.add(facts.street()),
    profile: mark(w, "Email Address", facts.profile(w.person)),
    web: () =>
      out.add(
        rng.pick([
          `linkedin.com/in/${person}`,
          `github.com/${person}`,
          `www.${person}.example.com`,
        ]),
      ),
  });
  out.endLine();
}

export function summary(w: Writer): void {
  const { out, rng } = w;
  heading(w, "summary");
  const slots: Slots = {
    title: mark(w, "Designation", w.title),
    years: () => entity(w, "Years of Experience", duration(w)),
    skill: () => skill(w),
    study: () => out.add(rng.pick(w.trade.studies).toLowerCase()),
    company: mark(w, "Companies worked at", w.facts.company()),
    college: mark(w, "College Name", w.facts.college()),
    degree: mark(w, "Degree", w.facts.degree(w.trade)),
    place: mark(w, "Location", w.facts.location()),
    year: mark(w, "Graduation Year", String(w.now - w.years)),
  };
  const sentences = [
    "{title} with {years} of experience in {skill}, {skill} and {skill}.",
    "Motivated {title} looking for a position in a growing organization.",
    "I have {years} of experience in {study}.",
    "Skilled in {skill} and {skill}.",
    "Experienced professional with a demonstrated history of working in the industry.",
    "To obtain a challenging position where I can use my knowledge of {study}.",
    "Total experience: {years}",
    "Strong background in {study} with hands-on experience in {skill}.",
    "Ability to work under pressure, to learn quickly and to meet deadlines.",
    "Having {years} experience as {title}.",
    "Willing to relocate: Anywhere",
    "Proficient in {skill}, {skill}, {skill} and {skill}.",
    "Knowledge of {skill} & {skill}; familiar with {skill}.",
    "Hands-on {title} with expertise in {skill} and {skill}.",
    "Currently working as {title} at {company}, {place}.",
    "Graduated from {college} in {year}.",
    "Holds a {degree} from {college} and {years} of professional experience.",
    "Based in {place}, ready to travel.",
    "In the last {years} I worked for {company} and learned {skill}.",
    "Known for {skill}, teamwork and a calm manner.",
  ];
  const chosen = rng.sample(sentences, rng.int(1, 4));
  const asBullets = rng.chance(0.3);
  chosen.forEach((sentence, i) => {
    if (asBullets) out.endLine().add(w.style.bullet);
    else if (i > 0) out.add(rng.chance(0.2) ? "\n" : " ");
    out.fill(sentence, slots);
  });
  out.endLine();
}

const JOBS = [
  "{title}\n{company}{dash}{place}\n{dates}\n",
  "{title}\n{company}{dash}{place}{dash}{dates}\n",
  "{title}, {company}, {place} ({dates})\n",
  "{company}, {place}{column}{dates}\n{title}\n",
  "{dates}: {title} at {company}, {place}\n",
  "{company} | {title} | {dates}\n",
  "{title}\n\n{company}\n\n{dates}\n",
  "Company: {company}\nDesignation: {title}\nDuration: {dates}\n",
  "Organization{column}: {company}\nRole{column}: {title}\nLocation{column}: {place}\nPeriod{column}: {dates}\n",
  "Working as {title} in {company}, {place} from {dates}.\n",
  "Worked with {company} as a {title} from {dates}.\n",
  "{dates}{column}{title}\n{column}{company}, {place}\n",
  "{company}\n{title}\n{dates} | {place}\n",
  "{bullet}{title} at {company} ({dates})\n",
  "{company}{column}{place}\n{title}{column}{dates}\n",
  "{title} | {company}\n{dates}\n",
  "{title} @ {company}\n",
  "{company} ({dates})\nPosition held - {title}\n",
] as const;

export function experience(w: Writer): void {
  const { out, rng, facts, style } = w;
  heading(w, "experience");
  const layout = rng.pick(JOBS);
  const jobs = rng.int(1, 4);
  let end = w.now;
  for (let i = 0; i < jobs; i++) {
    const start = end - Math.max(1, Math.round(w.years / jobs));
    const to =
      i === 0 && rng.chance(0.6)
        ? rng.pick(["Present", "present", "Till Date", "Current", "now"])
        : style.date(end, rng.int(1, 12));
    const from = style.date(start, rng.int(1, 12));
    out.fill(rng.chance(0.9) ? layout : rng.pick(JOBS), {
      title: markEntry(
        w,
        "Designation",
        i === 0 && rng.chance(0.6) ? w.title : facts.jobTitle(w.trade),
      ),
      company: markEntry(w, "Companies worked at", facts.company()),
      place: mark(w, "Location", facts.location()),
      dates: () => out.add(`${from}${style.dash}${to}`),
      dash: () => out.add(rng.pick([" - ", ", ", " – "])),
      column: () => out.add(style.column),
      bullet: () => out.add(style.bullet),
    });
    if (rng.chance(0.25))
      out.add(
        rng.pick(["Responsibilities:\n", "Key responsibilities\n", "Roles & Responsibilities:\n"]),
      );
    for (let n = rng.int(0, 4); n > 0; n--) {
      out.add(style.bullet);
      task(w);
      out.add("\n");
    }
    if (style.blankLines && rng.chance(0.7)) out.add("\n");
    end = start;
  }
}

const STUDIES = [
  "{degree}\n{college}{dash}{place}\n{years}\n",
  "{degree}, {college}, {place}, {year}\n",
  "{year}{dash}{degree} from {college}\n",
  "{college}{column}{years}\n{degree}\n",
  "{degree}\n{college}\n{years}\n",
  "{bullet}Completed {degree} from {college} in {year} with {grade}\n",
  "{college}, {place}{dash}{degree} ({years})\n",
  "{degree} | {college} | {year} | {grade}\n",
  "{degree} in the year {year} from {college}, {place}.\n",
  "{bullet}{degree} ({year}), {college}. {grade}\n",
  "{college}\n{degree}, {grade}\nGraduated: {year}\n",
  "{years}{column}{degree}\n{column}{college}, {place}\n",
  "{degree}{dash}{college}\n",
  "Degree: {degree}\nInstitute: {college}\nYear of passing: {year}\n",
] as const;

export function education(w: Writer): void {
  const { out, rng, facts, style } = w;
  heading(w, "education");
  const asTable = rng.chance(0.12);
  const column = rng.pick(["\t", "    ", " | "]);
  if (asTable) out.add(["Degree", "Institution", "Year", "Score"].join(column)).add("\n");
  const layout = asTable
    ? ["{degree}", "{college}", "{year}", "{grade}"].join(column) + "\n"
    : rng.pick(STUDIES);
  let year = w.now - w.years - rng.int(0, 2);
  const entries = rng.int(1, 3);
  for (let i = 0; i < entries; i++) {
    const isSchool = i > 0 && rng.chance(0.5);
    const finished = year;
    const started = finished - rng.int(2, 4);
    out.fill(layout, {
      degree: mark(w, "Degree", isSchool ? facts.schoolDegree() : facts.degree(w.trade)),
      college: markEntry(w, "College Name", isSchool ? facts.school() : facts.college()),
      place: mark(w, "Location", facts.location()),
      year: mark(w, "Graduation Year", String(finished)),
      years: () => {
        if (rng.chance(0.5))
          out.add(rng.pick([`${started}${style.dash}`, `${style.date(started, 9)}${style.dash}`]));
        else if (rng.chance(0.2)) out.add(rng.pick(["Class of ", "May ", "June "]));
        entity(w, "Graduation Year", String(finished));
      },
      grade: () =>
        out.add(
          rng.pick([
            `${rng.int(50, 97)}%`,
            `GPA: 3.${rng.int(0, 9)}/4.0`,
            `CGPA ${rng.int(6, 9)}.${rng.int(0, 9)}`,
            "First Class",
            "with honours",
          ]),
        ),
      dash: () => out.add(rng.pick([" - ", ", ", " – "])),
      column: () => out.add(style.column),
      bullet: () => out.add(style.bullet),
    });
    if (style.blankLines && rng.chance(0.3)) out.add("\n");
    year = started;
  }
}

export function skillList(w: Writer): void {
  const { out, rng, style } = w;
  heading(w, "skills");
  const all = w.facts.skills(w.trade, rng.int(4, 18));
  const layout = rng.pick([
    "commas",
    "commas",
    "bullets",
    "groups",
    "pipes",
    "years",
    "lines",
    "and",
  ]);
  const separator = { commas: ", ", pipes: rng.pick([" | ", " • ", " / ", "; "]), and: ", " };
  const groups = [
    "Languages",
    "Tools",
    "Databases",
    "Operating Systems",
    "Methods",
    "Packages",
    "Other",
    "Software",
  ];
  if (layout === "groups") {
    for (let i = 0; i < all.length; i += 4) {
      out
        .add(style.bullet)
        .add(rng.pick(groups))
        .add(rng.pick([": ", " - ", " :\t"]));
      joinSkills(w, all.slice(i, i + 4), ", ");
      out.add("\n");
    }
  } else if (layout === "commas" || layout === "pipes") {
    if (rng.chance(0.15)) out.add(style.bullet);
    joinSkills(w, all, separator[layout]);
    out.add(rng.pick(["\n", ".\n", "\n"]));
  } else if (layout === "and") {
    const last = all.pop() ?? w.facts.skill(w.trade);
    out.add(
      rng.pick(["Proficient in ", "Good knowledge of ", "Experience with ", "Familiar with "]),
    );
    joinSkills(w, all, separator.and);
    out.add(" and ");
    entity(w, "Skills", last);
    out.add(".\n");
  } else {
    for (const skill of all) {
      if (layout === "bullets") out.add(style.bullet);
      entity(w, "Skills", skill);
      if (layout === "years")
        out.add(
          rng.pick([` (${rng.int(1, 9)} years)`, " (Less than 1 year)", ` - ${rng.int(1, 9)} yrs`]),
        );
      out.add(layout === "years" && rng.chance(0.5) ? ", " : "\n");
    }
    out.endLine();
  }
}
