// The list of cards: a list box of which only the rows that are seen are there.

import {make} from "./dom.js";

const HEIGHT = 78;
const SPARE = 8;

export class Rows {
  #box;
  #space = make("div", {class: "space", role: "presentation"});
  #entries = [];
  #current = "";
  #running = new Set();
  #drawn = new Map();         // by key

  constructor(box, onChoose) {
    this.#box = box;
    box.append(this.#space);
    box.addEventListener("scroll", () => this.#draw(), {passive: true});
    new ResizeObserver(() => this.#draw()).observe(box);
    box.addEventListener("click", event => {
      const row = event.target.closest("[data-key]");
      if (row) onChoose(row.dataset.key);
    });
  }

  show(entries, current, running) {
    const isOther = current !== this.#current;
    this.#entries = entries;
    this.#current = current;
    this.#running = running;
    this.#space.style.height = `${entries.length * HEIGHT}px`;
    if (isOther) this.reveal();
    else this.#draw();
  }

  // Scroll to the chosen row, if it is not seen. Who has scrolled away from it is left there, until
  // another row is chosen or other rows are listed.
  reveal() {
    const at = this.#entries.findIndex(entry => entry.key === this.#current);
    if (at >= 0) {
      const top = at * HEIGHT, {scrollTop, clientHeight} = this.#box;
      if (top < scrollTop) this.#box.scrollTop = top - HEIGHT;
      else if (top + HEIGHT > scrollTop + clientHeight) {
        this.#box.scrollTop = top + 2 * HEIGHT - clientHeight;
      }
    }
    this.#draw();
  }

  #draw() {
    const first = Math.max(0, Math.floor(this.#box.scrollTop / HEIGHT) - SPARE);
    const seen = Math.ceil(this.#box.clientHeight / HEIGHT) + 2 * SPARE;
    const kept = new Map();
    this.#entries.slice(first, first + seen).forEach((entry, offset) => {
      const known = this.#drawn.get(entry.key);
      const row = known?.entry === entry ? known.row : drawn(entry);
      if (known && known.row !== row) known.row.remove();
      const at = first + offset;
      row.style.transform = `translateY(${at * HEIGHT}px)`;
      row.setAttribute("aria-posinset", at + 1);
      row.setAttribute("aria-setsize", this.#entries.length);
      row.setAttribute("aria-selected", entry.key === this.#current);
      row.classList.toggle("runs", this.#running.has(`${entry.path}:${entry.line}`));
      kept.set(entry.key, {entry, row});
    });
    for (const [key, {row}] of this.#drawn) if (kept.get(key)?.row !== row) row.remove();
    let before = null;
    for (const {row} of kept.values()) {
      if (row.parentNode !== this.#space) {
        if (before) before.after(row);
        else this.#space.prepend(row);
      }
      before = row;
    }
    this.#drawn = kept;
    const current = kept.get(this.#current);
    if (current) this.#box.setAttribute("aria-activedescendant", current.row.id);
    else this.#box.removeAttribute("aria-activedescendant");
  }
}

function drawn(entry) {
  const row = make("div", {
    role: "option", class: "row", id: `row-${entry.key}`, "data-key": entry.key,
  });
  row.append(make("span", {class: "asked", lang: entry.lang || null}, readable(entry.question)));
  const marks = make("span", {class: "marks"});
  if (!entry.holds) marks.append(make("b", {class: "bad"}, "fails"));
  else if (entry.worst === "error") marks.append(make("b", {class: "bad"}, "problem"));
  else if (entry.worst) marks.append(make("b", {class: "doubt"}, entry.worst));
  if (entry.since) marks.append(make("b", {class: "since"}, entry.since));
  marks.append(make("span", {class: "named"}, entry.id || `${entry.path}:${entry.line}`));
  if (entry.kind !== "basic") marks.append(make("span", {}, entry.kind));
  if (entry.unverified) marks.append(make("span", {}, "not verified"));
  if (entry.assertions) {
    const noticed = entry.score === null ? "" : `, ${Math.round(entry.score * 100)} % of changes noticed`;
    const words = `${entry.assertions} held${noticed}`;
    marks.append(make("span", {class: "good", title: words},
      make("span", {"aria-hidden": "true"}, `✓ ${entry.assertions}`),
      make("span", {class: "unseen"}, words)));
  }
  row.append(marks);
  return row;
}

// A formula in a line of a list is read, not set.
export function readable(text) {
  return text.replace(/\\[([]([\s\S]*?)\\[)\]]/g, (_, maths) => maths
    .replace(/\\(?:operatorname|mathrm|mathbf|mathbb|mathcal|text|boldsymbol)\s*\*?\{([^{}]*)\}/g, "$1")
    .replace(/\\(?:left|right|big|Big|displaystyle|,|;|!|:)(?![a-z])/g, "")
    .replace(/\\sqrt\{([^{}]*)\}/g, "√($1)")
    .replace(/\\([d]?frac)\{([^{}]*)\}\{([^{}]*)\}/g, "$2/$3")
    .replace(/\\([A-Za-z]+)/g, (whole, name) => SYMBOLS[name] ?? name)
    .replace(/([_^])(?:\{(\d+)\}|(\d))/g, (_, mark, many, one) => raised(mark, many ?? one))
    .replace(/[{}]/g, ""));
}

function raised(mark, digits) {
  const all = mark === "_" ? "₀₁₂₃₄₅₆₇₈₉" : "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return [...digits].map(digit => all[digit]).join("");
}

const SYMBOLS = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", varepsilon: "ε", theta: "θ",
  lambda: "λ", mu: "μ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", omega: "ω",
  Delta: "Δ", Sigma: "Σ", Omega: "Ω", sum: "Σ", prod: "∏", infty: "∞", times: "×", cdot: "·",
  cdots: "⋯", ldots: "…", dots: "…", le: "≤", leq: "≤", ge: "≥", geq: "≥", ne: "≠", neq: "≠",
  approx: "≈", in: "∈", to: "→", rightarrow: "→", top: "ᵀ", sqrt: "√", log: "log", odot: "⊙",
};
