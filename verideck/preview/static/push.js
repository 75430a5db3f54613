// Pushes into Anki, where the server offers it: a plan is shown, and nothing is written before it is
// confirmed. Only the plan that is shown can be; the server looks again, and refuses what has changed.

import {counted, make, number} from "./dom.js";

const FATES = ["overwritten", "updated", "kept", "new"];   // what may be missed comes first
const MOST = 200;             // new notes that are listed: nothing of the learner's is at stake

export class Push {
  #dialog;
  #said;
  #plan;
  #go;
  #close;
  #choices;
  #confirms = "";
  #asked = 0;                 // the newest question: an older one's answer is nobody's

  constructor(dialog) {
    const at = name => dialog.querySelector(name);
    this.#dialog = dialog;
    this.#said = at("#push-said");
    this.#plan = at("#push-plan");
    this.#go = at("#push-go");
    this.#close = at("#push-close");
    this.#choices = at("#push-choices");
    this.#choices.addEventListener("change", () => this.#ask(this.#chosen));
    this.#go.addEventListener("click", () => this.#push());
    this.#close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("cancel", event => this.#isPushing && event.preventDefault());
    dialog.addEventListener("close", () => {       // it is told late: the dialog may be open again
      if (!dialog.open) this.#asked += 1;
    });
  }

  open() {
    this.#choices.hidden = false;
    this.#close.textContent = "Cancel";
    this.#dialog.showModal();
    this.#ask({});            // what is usual for the one who serves
  }

  get #isPushing() {
    return this.#close.disabled;
  }

  get #chosen() {
    const [moves, retired, sync] = ["moves", "retired", "sync"].map(
      name => this.#choices.querySelector(`[name=${name}]`));
    return {
      moves: moves.checked,
      retired: retired.value,
      sync: {text: null, first: true, without: false}[sync.value],
    };
  }

  async #ask(choices) {
    this.#wait("Asking Anki …");
    const answer = await this.#send("/plan", choices);
    if (answer) this.#show(answer);
  }

  async #push() {
    const confirms = this.#confirms;
    this.#wait("Pushing …");
    this.#close.disabled = true;
    this.#choices.hidden = true;
    const answer = await this.#send("/push", {confirms});
    this.#close.disabled = false;
    if (!answer) return;
    if (answer.done) this.#tell(answer);
    else this.#show(answer);
  }

  // The newest answer; null where the dialog was closed, or asks something else by now.
  async #send(path, value) {
    const asked = this.#asked += 1;
    let answer;
    try {
      const got = await fetch(path, {
        method: "POST",
        headers: {"content-type": "application/json"},
        body: JSON.stringify(value),
      });
      answer = got.ok ? await got.json() : {error: await got.text(), hint: ""};
    } catch {
      answer = {error: "the server does not answer", hint: "start verideck preview --push again"};
    }
    return asked === this.#asked ? answer : null;
  }

  #wait(words) {
    this.#confirms = "";
    this.#go.disabled = true;
    this.#said.className = "";
    this.#said.textContent = words;
  }

  #show(answer) {
    this.#choices.hidden = false;
    if (answer.error) return this.#refuse([{message: answer.error, hint: answer.hint}]);
    const {plan, choices, confirms} = answer;
    this.#choices.querySelector("[name=moves]").checked = choices.moves;
    this.#choices.querySelector("[name=retired]").value = choices.retired;
    this.#choices.querySelector("[name=sync]").value =
      choices.sync === null ? "text" : choices.sync ? "first" : "without";
    if (plan.refused.length) return this.#refuse(plan.refused, plan.profile);
    this.#confirms = confirms;
    this.#go.hidden = false;
    this.#go.disabled = !confirms;
    this.#go.textContent = answer.deletes ? `Push, and delete ${counted(answer.deletes, "note")}` : "Push";
    this.#go.className = answer.deletes ? "bad" : "";
    this.#said.textContent = [answer.said, `profile ${plan.profile}: ${answer.counted}`, confirms && "nothing is written yet"]
      .filter(Boolean).map(sentence).join(" ");
    this.#plan.replaceChildren(
      make("p", {class: "quiet-text"}, `Into ${answer.into}.`),
      answer.warns ? make("p", {class: "warns"}, sentence(answer.warns)) : "",
      make("ul", {class: "planned"}, ...notes(answer), ...cards(plan, choices)),
    );
    this.#plan.scrollTop = 0;
    return undefined;
  }

  #refuse(refusals, profile = "") {
    this.#go.disabled = true;
    this.#said.className = "bad";
    this.#said.textContent = `${profile && `Profile ${profile}. `}Nothing was written.`;
    this.#plan.replaceChildren(make("ul", {class: "planned"}, ...refusals.map(each => make("li", {class: "refused"},
      make("p", {class: "bad"}, sentence(each.message)),
      each.hint ? make("p", {class: "quiet-text"}, `hint: ${each.hint}`) : ""))));
  }

  // What a look at the collection found afterwards.
  #tell({done, pushed}) {
    this.#go.hidden = true;
    this.#choices.hidden = true;
    this.#close.textContent = "Close";
    this.#said.className = pushed.missing.length ? "bad" : "good";
    const there = done.find(line => line.startsWith("there now")) ?? done[0];
    const rest = done.filter(line => line !== there);
    this.#said.textContent = sentence(there);
    this.#plan.replaceChildren(make("ul", {class: "planned"}, ...rest.map(line => make("li", {}, sentence(line)))));
    this.#close.focus();
  }
}

function notes({plan, means, doubt}) {
  return FATES.flatMap(fate => {
    const all = plan.notes.filter(each => each.fate === fate);
    const shown = fate === "new" ? all.slice(0, MOST) : all;
    const rest = all.length - shown.length;
    return [
      ...shown.map(each => make("li", {class: fate},
        make("p", {}, make("b", {class: "fate"}, fate), " ", each.question.split("\n")[0]),
        make("p", {class: "where"}, `${each.id} · ${each.path}:${each.line}`),
        ...Object.entries(each.edits).map(([name, edit]) => make("p", {class: "edit"}, `${name}: `, ...words(edit))),
        means[fate] ? make("p", {class: "warns"}, sentence(means[fate])) : "",
        each.doubtful ? make("p", {class: "warns"}, sentence(doubt)) : "")),
      rest ? make("li", {}, `and ${number(rest)} more that are new`) : "",
    ];
  });
}

function cards(plan, choices) {
  return [
    ...plan.moves.map(each => make("li", {},
      make("p", {}, make("b", {class: "fate"}, choices.moves ? "moved" : "not moved"),
        ` ${each.id}, ${counted(each.cards, "card")}: ${each.from} → ${each.to}`))),
    ...plan.not_moved.map(each => make("li", {},
      make("p", {}, make("b", {class: "fate"}, "not moved"), ` ${each.id} in ${each.deck}, as ${each.why}`))),
    ...plan.retired.map(each => make("li", {},
      make("p", {}, make("b", {class: "fate"}, `retired, ${each.fate}`), ` ${each.question.split("\n")[0]}`),
      make("p", {class: "where"}, `${each.id} · ${counted(each.cards, "card")}, ${counted(each.reviews, "review")}`))),
    ...plan.styles.map(each => make("li", {}, `The look of ${each} becomes the author's.`)),
  ];
}

// `[-removals-]` and `{+additions+}` as elements that a screen reader tells apart.
function words(edit) {
  return edit.split(/(\[-[^]*?-\]|\{\+[^]*?\+\})/).map(part => {
    if (part.startsWith("[-") && part.endsWith("-]")) return make("del", {}, part.slice(2, -2));
    if (part.startsWith("{+") && part.endsWith("+}")) return make("ins", {}, part.slice(2, -2));
    return part;
  });
}

const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?:]$/.test(text) ? "" : ".");
