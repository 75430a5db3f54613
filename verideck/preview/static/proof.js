// What was proved of a card, in a line, and in full.

import {counted, make} from "./dom.js";
import {editing} from "./editing.js";

export function proof(body, entry, deck) {
  const facts = body.proof;
  const box = make("details", {class: "proof"});
  if (!facts) {
    const why = !entry.holds ? "This card does not hold." : entry.unverified
      ? `Not verified: ${entry.unverified}.` : "Nothing on this card is executed.";
    return make("p", {class: "proof nothing"}, why);
  }
  box.append(make("summary", {}, summary(facts, entry)));
  box.append(fences(facts, deck));
  if (facts.audit) box.append(audit(facts.audit, deck));
  if (facts.files.length) {
    box.append(make("p", {class: "files"}, "Reads ", ...facts.files.flatMap((file, at) => [
      at ? ", " : "", make("code", {}, file),
    ])));
  }
  return box;
}

function summary({assertions, audit, seconds, versions}, entry) {
  const words = [`${counted(assertions, "assertion")} held`];
  if (audit && audit.score !== null) words.push(`${audit.killed} of ${audit.judged} changes noticed`);
  words.push(`${seconds < 0.01 ? "under 0.01" : seconds.toFixed(2)} s`, ...versions);
  if (entry.unverified) words.push(entry.unverified);
  return words.join(" · ");
}

function fences({fences: every}, deck) {
  const head = make("tr", {}, ...["Code", "Line", "Assertions", "Seconds", "Gave"].map(word =>
    make("th", {scope: "col"}, word)));
  const rows = every.map(each => make("tr", {},
    make("td", {}, each.role),
    make("td", {}, editing({path: each.path, line: each.line, column: 1}, deck, `${each.path}:${each.line}`)
      ?? `${each.path}:${each.line}`),
    make("td", {class: "number"}, String(each.assertions)),
    make("td", {class: "number"}, each.seconds.toFixed(3)),
    make("td", {}, gave(each)),
  ));
  return make("div", {class: "wide", tabindex: "0", role: "group", "aria-label": "Proofs"},
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

function gave({printed, value, raised}) {
  const said = [printed.trimEnd(), value, raised].filter(Boolean).join("\n");
  return said ? make("pre", {}, said) : "";
}

function audit(found, deck) {
  const box = make("div", {class: "audit"});
  if (found.score === null) box.append(make("p", {}, `Audit: ${found.unjudged}.`));
  if (found.flaky) box.append(make("p", {class: "bad"}, `This holds by luck: ${found.flaky}.`));
  if (found.survivors.length) {
    box.append(make("p", {}, "No assertion notices:"), make("ul", {}, ...found.survivors.map(each =>
      make("li", {},
        editing({...each, column: 1}, deck, `${each.path}:${each.line}`) ?? `${each.path}:${each.line}`,
        " ", make("del", {}, each.before), " ", make("ins", {}, each.after),
        each.uncovered ? ` (${each.uncovered})` : ""))));
  }
  return box;
}
