/** Draws the facts of made-up resumes, keeping a part of all names, companies and skills away from training. */
import type { Faker } from "@faker-js/faker";
import { faker as cs } from "@faker-js/faker/locale/cs_CZ";
import { faker as de } from "@faker-js/faker/locale/de";
import { faker as el } from "@faker-js/faker/locale/el";
import { faker as en } from "@faker-js/faker/locale/en";
import { faker as enIndia } from "@faker-js/faker/locale/en_IN";
import { faker as es } from "@faker-js/faker/locale/es";
import { faker as fr } from "@faker-js/faker/locale/fr";
import { faker as pl } from "@faker-js/faker/locale/pl";
import { faker as pt } from "@faker-js/faker/locale/pt_BR";
import { faker as sv } from "@faker-js/faker/locale/sv";
import { faker as tr } from "@faker-js/faker/locale/tr";
import { faker as vi } from "@faker-js/faker/locale/vi";
import { hashString, type Rng } from "../../../data/rng.ts";
import { COMPANY_ENDINGS, DEGREES, LEVELS, SCHOOL_DEGREES, TRADES, type Trade } from "./lexicon.ts";

/** `train` never draws from the reserved quarter of the lexicon, `heldOut` often does. */
export type LexiconPart = "train" | "heldOut";

// Weighted: most resumes at hand are English or Indian English.
const LOCALES: readonly Faker[] = [
  ...Array.from({ length: 10 }, () => en),
  ...Array.from({ length: 5 }, () => enIndia),
  ...[de, fr, es, pl, tr, pt, cs, sv, vi, el],
];

/** Faker's class is not part of its small per-locale modules, but every instance knows it. */
const FakerClass = en.constructor as typeof Faker;

/** Whether an entry of the lexicon is reserved for held-out resumes: a quarter is, told by a hash. */
export function isReserved(entry: string): boolean {
  return hashString(`lexicon ${entry.toLowerCase()}`) % 4 === 0;
}

/** The facts of one resume's world: people, places and employers of one locale. */
export class Facts {
  readonly #rng: Rng;
  readonly #part: LexiconPart;
  readonly #local: Faker;
  readonly #english: Faker;

  constructor(rng: Rng, part: LexiconPart) {
    this.#rng = rng;
    this.#part = part;
    // Own instances, so that the seeds of a program's other uses of faker are left alone.
    this.#local = new FakerClass({ locale: rng.pick(LOCALES).rawDefinitions });
    this.#english = new FakerClass({ locale: en.rawDefinitions });
    this.#local.seed(rng.uint32());
    this.#english.seed(rng.uint32());
  }

  /** Draws until the part of the lexicon is right; gives up after many tries only where a list has no such entry. */
  #draw(make: () => string): string {
    const wantReserved = this.#part === "heldOut" && this.#rng.chance(0.4);
    let drawn = make();
    for (let i = 0; i < 60; i++) {
      if (this.#part === "heldOut" ? !wantReserved || isReserved(drawn) : !isReserved(drawn)) break;
      drawn = make();
    }
    return drawn;
  }

  #lastName(): string {
    return this.#draw(() => this.#local.person.lastName());
  }

  person(): { first: string; last: string; full: string } {
    const first = this.#draw(() => this.#local.person.firstName());
    const last = this.#lastName();
    const middle = this.#rng.chance(0.12)
      ? this.#rng.pick([`${this.#local.person.firstName()} `, `${first.charAt(0)}. `])
      : "";
    return { first, last, full: `${first} ${middle}${last}` };
  }

  company(): string {
    const { person } = this.#local;
    const root = () =>
      this.#rng.pick([
        () => this.#lastName(),
        () => this.#draw(() => capitalised(this.#english.company.buzzNoun().split(/[\s-]/)[0])),
        () => this.#draw(() => coinedName(this.#rng)),
        () => this.#draw(() => capitalised(this.#english.word.noun())),
        () => this.#draw(() => initials(this.#rng)),
      ])();
    return this.#rng.pick([
      () => root(),
      () => `${root()} ${this.#rng.pick(COMPANY_ENDINGS)}`,
      () => `${root()} ${this.#rng.pick(COMPANY_ENDINGS)}`,
      () => `${root()} ${this.#rng.pick(COMPANY_ENDINGS)}, Inc.`,
      () => `${this.#lastName()} & ${person.lastName()}`,
      () => `${this.#lastName()}, ${person.lastName()} and ${person.lastName()}`,
      () => `${this.#city()} ${this.#rng.pick(COMPANY_ENDINGS)}`,
      () => this.#draw(() => this.#local.company.name()),
    ])();
  }

  #city(): string {
    return this.#draw(() => this.#local.location.city());
  }

  location(): string {
    const city = this.#city();
    return this.#rng.pick([
      () => city,
      () => city,
      () => `${city}, ${this.#local.location.state()}`,
      () => `${city}, ${this.#english.location.state({ abbreviated: true })}`,
      () => `${city}, ${this.#english.location.country()}`,
    ])();
  }

  street(): string {
    return this.#local.location.streetAddress();
  }

  college(): string {
    const city = () => this.#city();
    const name = () => this.#lastName();
    return this.#rng.pick([
      () => `University of ${city()}`,
      () => `${city()} University`,
      () => `${name()} University`,
      () => `${name()} College`,
      () => `${city()} State University`,
      () => `${name()} Institute of Technology`,
      () => `${city()} College of Engineering`,
      () => `${name()} Business School`,
      () => `St. ${name()} College of Arts and Science`,
      () => `${city()} Polytechnic`,
      () => `Indian Institute of Technology, ${city()}`,
      () => `Universität ${city()}`,
      () => `Université de ${city()}`,
      () => `${initials(this.#rng)} Institute of Management`,
    ])();
  }

  school(): string {
    const place = this.#rng.chance(0.5) ? this.#city() : this.#lastName();
    return `${place} ${this.#rng.pick(["High School", "Public School", "Junior College", "Vidyalaya", "Secondary School", "Gymnasium"])}`;
  }

  degree(trade: Trade): string {
    const { full, short } = this.#rng.pick(DEGREES);
    const study = this.#rng.pick(trade.studies);
    return this.#rng.pick([
      () => full,
      () => this.#rng.pick(short),
      () => `${full} in ${study}`,
      () => `${full} in ${study}`,
      () => `${this.#rng.pick(short)} in ${study}`,
      () => `${this.#rng.pick(short)} ${study}`,
      () => `${this.#rng.pick(short)} (${study})`,
      () => `${full.replace(/ of .*/, "'s degree")} in ${study}`,
    ])();
  }

  schoolDegree(): string {
    return this.#rng.pick(SCHOOL_DEGREES);
  }

  jobTitle(trade: Trade): string {
    const role = this.#rng.pick(trade.roles);
    return this.#rng.pick([
      () => role,
      () => role,
      () => `${this.#rng.pick(LEVELS)} ${role}`,
      () => `${role}, ${this.#rng.pick(trade.studies)}`,
      () => this.#draw(() => this.#english.person.jobTitle()),
    ])();
  }

  /** A skill, mostly of the trade. */
  skill(trade: Trade): string {
    const from = this.#rng.chance(0.85) ? trade : this.#rng.pick(TRADES);
    return this.#draw(() => this.#rng.pick(from.skills));
  }

  /** Up to `count` different skills. */
  skills(trade: Trade, count: number): string[] {
    const drawn = new Set<string>();
    for (let i = 0; i < 4 * count && drawn.size < count; i++) drawn.add(this.skill(trade));
    return [...drawn];
  }

  email({ first, last }: { first: string; last: string }): string {
    if (this.#rng.chance(0.15)) return this.#english.internet.exampleEmail().toLowerCase();
    const name = this.#english.helpers.slugify(`${first} ${last}`).replace(/[^A-Za-z-]+/g, "");
    const [a = "x", b = "y"] = name === "-" ? ["mail", "me"] : name.toLowerCase().split("-");
    const local = this.#rng.pick([
      `${a}.${b}`,
      `${a}${b}`,
      `${a}_${b}`,
      `${a.charAt(0)}${b}`,
      `${a}${this.#rng.int(1, 99)}`,
    ]);
    const host = this.#rng.pick([
      "example.com",
      "example.org",
      "mail.example.net",
      "example.co.uk",
    ]);
    return `${local.replace(/^[^a-z]+|[^a-z0-9]+$/g, "") || "me"}@${host}`;
  }

  /** A profile address without scheme, such as job sites print in place of an e-mail address. */
  profile({ first, last }: { first: string; last: string }): string {
    const id = this.#rng.uint32().toString(16);
    const slug = `${first}-${last}`.replace(/[^\p{L}-]+/gu, "-");
    return this.#rng.pick([
      `jobs.example.com/r/${slug}/${id}`,
      `cv.example.org/${slug.toLowerCase()}`,
    ]);
  }

  phone(): string {
    return this.#local.phone.number();
  }
}

function capitalised(word = ""): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A made-up brand: syllables that no list of words holds. */
function coinedName(rng: Rng): string {
  const syllables = [
    "ver",
    "ix",
    "no",
    "lum",
    "tra",
    "zen",
    "qua",
    "del",
    "mo",
    "ra",
    "cor",
    "vi",
    "syn",
    "ta",
    "el",
    "bri",
    "os",
    "pan",
    "ku",
    "axi",
  ];
  return capitalised(Array.from({ length: rng.int(2, 3) }, () => rng.pick(syllables)).join(""));
}

function initials(rng: Rng): string {
  return Array.from({ length: rng.int(2, 4) }, () => String.fromCharCode(65 + rng.int(0, 25))).join(
    "",
  );
}
