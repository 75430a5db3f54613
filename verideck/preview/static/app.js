// The page: what is shown, how it is chosen, and by which keys.

import {Deck} from "./deck.js";
import {counted, number} from "./dom.js";
import {edit} from "./editing.js";
import {useSheet} from "./frame.js";
import {showProblems} from "./problems.js";
import {Panel, keepWithinReach} from "./panel.js";
import {Push} from "./push.js";
import {Reading} from "./reading.js";
import {Rows} from "./rows.js";
import {Side} from "./side.js";
import {Stage} from "./stage.js";
import {Stream} from "./stream.js";

const at = id => document.getElementById(id);
const deck = new Deck();
const VIEWS = ["card", "list"], SCREENS = ["desktop", "tablet", "phone"];

// What was chosen last. Another page of this port may have kept something else by that name.
const kept = (name, values) => values.find(each => each === localStorage.getItem(name)) ?? values[0];
const chosen = {
  view: kept("view", VIEWS),
  screen: kept("screen", SCREENS),
  night: (localStorage.getItem("night") ?? String(matchMedia("(prefers-color-scheme: dark)").matches)) === "true",
};
let entries = [];             // all that are known
let visible = [];             // those that are chosen
let said = "";

const reading = new Reading(named(location.hash.slice(1)));
const look = () => chosen;

// The card that the address names; "%" may stand in it for itself.
function named(hash) {
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}
const rows = new Rows(at("rows"), key => { go(key); setReading(true); });
const side = new Side(at("filters"), narrow);
const panel = new Panel(at("side"), at("menu"), at("side-close"), at("veil"));
const stage = new Stage(at("stage"), deck, look,
  {onKey, onAct: choose, onBack: () => setReading(false), onAll: showAll});
const stream = new Stream(at("stream"), deck, look, {onKey, onRead: key => reading.isAwaited || reads(key), onAll: showAll});
const push = new Push(at("push"));

// -- what is shown

function draw() {
  useSheet(deck.summary.sheet);
  entries = deck.rows.map(row => deck.entry(row)).filter(Boolean);
  const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  visible = entries.filter(entry => side.passes(entry) && words.every(word => entry.text.includes(word)));
  side.draw(entries);
  document.body.dataset.found = visible.length ? "some" : "none";
  const isAll = visible.length === entries.length;
  at("count").textContent = isAll ? counted(entries.length, "card")
    : `${number(visible.length)} of ${counted(entries.length, "card")}`;
  showProblems(at("problems"), deck, open);
  drawCurrent();
  drawStatus();
  document.body.dataset.drawn = deck.isComplete ? "all" : "some";
}

// What is searched for, or filtered, is read from its top, where it has not the card that is read.
function narrow() {
  reading.position = 0;
  at("rows").scrollTop = 0;
  draw();
  rows.reveal();
}

function drawCurrent() {
  const before = reading.isAwaited ? "" : reading.entry?.key;
  reading.settle(entries, visible, deck.isComplete && deck.summary.cards !== undefined);
  const {entry} = reading;
  drawRows();
  if (chosen.view === "list") {
    stream.show(visible, entry?.key === before ? "" : entry?.key);
    stream.nothing(nothing(), isNarrowed());
  } else if (entry) stage.show(entry, reading.isStandIn);
  else stage.nothing(nothing(), isNarrowed());
  writeAddress();
}

function showCurrent() {
  drawCurrent();
  if (chosen.view === "list") stream.go(reading.entry?.key);
  rows.reveal();
}

function nothing() {
  if (visible.length || !deck.isComplete || deck.summary.cards === undefined) return "";
  return entries.length ? "No card is like that." : "There is no card yet.";
}

function drawRows() {
  const running = new Set(deck.run.running.map(place => place.slice(0, place.lastIndexOf(":"))));
  rows.show(visible, reading.entry?.key ?? "", running);
}

// It names the card that is shown, so that a reload shows it again; beside the list of cards, if there
// it was.
function writeAddress() {
  const {entry} = reading;
  const hash = entry ? `#${encodeURIComponent(entry.id || entry.key)}` : location.hash;
  if (hash === location.hash && history.state?.reads === isReading()) return;
  history.replaceState({reads: isReading()}, "", hash || location.pathname);
}

// -- where one is

// In a narrow window the list of cards and the card have one column: whether it is the card's.
const isReading = () => document.body.classList.contains("reads");
const isSeen = element => element.getClientRects().length > 0;

function setReading(isIt) {
  document.body.classList.toggle("reads", isIt);
  keepFocus();
  if (isIt) at("stage").scrollIntoView({block: "start"});
  else rows.reveal();
  writeAddress();
}

// What has the focus and is hidden would leave it nowhere.
function keepFocus() {
  if (!isSeen(document.activeElement)) focusCard();
}

function focusCard() {
  [at("stage"), at("stream"), at("rows")].find(isSeen)?.focus();
}

// Turn the card over; the first turn in a list of cards alone shows it.
function turn() {
  if (isSeen(at("stage"))) stage.flip();
  else openChosen();
}

// Show a card, whatever hides it.
function open(name) {
  const isIt = entry => entry.key === name || entry.id === name;
  reading.wish(name);
  if (entries.some(isIt) && !visible.some(isIt)) clear();
  draw();
  showCurrent();
  openCard();
}

function openCard() {
  setReading(true);
  focusCard();
}

function openChosen() {
  choose();
  openCard();
}

const isNarrowed = () => side.isSet || at("search").value !== "";

function clear() {
  side.clear();
  at("search").value = "";
}

function showAll() {
  clear();
  narrow();
  keepFocus();
}

function drawStatus() {
  const {summary, run} = deck;
  const failing = entries.filter(entry => !entry.holds).length;
  const status = at("status");
  const where = run.running[0] ? ` ${run.running[0].replace(/:\d+$/, "")}` : "";
  let words = "";
  if (deck.isLost) words = "not connected";
  else if (run.running.length) words = `${run.doing} ${run.done + 1} of ${run.total}:${where}`;
  else if (run.doing && summary.cards === undefined) words = "reading the cards …";
  else if (said) words = said;
  else if (summary.cards !== undefined) {
    words = !failing && !summary.ok ? "not all could be checked" : failing ? `${counted(failing, "card")} of ${number(entries.length)} ${failing === 1 ? "does" : "do"} not hold`
      : `${counted(entries.length, "card")} ${entries.length === 1 ? "holds" : "hold"}`;
    if (summary.assertions) words += ` · ${counted(summary.assertions, "assertion")}`;
  }
  if (status.textContent !== words) status.textContent = words;
  status.className = run.doing ? "runs" : failing || !summary.ok ? "bad" : "good";
  if (summary.name) {
    at("name").textContent = summary.name;
    document.title = `${failing ? `(${failing}) ` : ""}${summary.name} – verideck`;
  }
  at("pushes").hidden = !deck.hello.acts?.includes("push");
  at("lost").hidden = !deck.isLost;
  at("unsafe").hidden = !summary.unsafe;
  at("unsafe").textContent = summary.unsafe
    ? `Snippets run with your rights, without a sandbox: ${summary.unsafe}` : "";
}

function go(key) {
  const entry = visible.find(each => each.key === key);
  if (!entry) return;
  reading.wishFor(entry);
  showCurrent();
}

// Who turns over what stands in for a card, opens it or steps on from it has chosen it.
function choose() {
  if (reading.entry) reading.wishFor(reading.entry);
}

// In the list, the card that is read is the current one: it is edited, and shown alone.
function reads(key) {
  const now = visible.findIndex(entry => entry.key === key);
  if (now < 0 || key === reading.entry?.key) return;
  reading.wishFor(visible[now]);
  reading.settle(entries, visible, true);
  writeAddress();
}

function step(by) {
  if (chosen.view === "list") return reads(stream.step(by));
  if (isSeen(at("stage")) && stage.step(by)) return undefined;
  const next = visible[reading.position + by];
  if (next) go(next.key);
  return undefined;
}

function nextProblem() {
  const wrong = entry => !entry.holds || entry.worst;
  const {position} = reading;
  const next = [...visible.slice(position + 1), ...visible.slice(0, position + 1)].find(wrong);
  if (!next) return;
  go(next.key);
  setReading(true);
}

// -- how it looks

function setLook(name, value) {
  chosen[name] = value;
  localStorage.setItem(name, String(value));
  applyLook();
}

function applyLook() {
  document.documentElement.dataset.theme = chosen.night ? "night" : "light";
  document.body.dataset.view = chosen.view;
  document.body.dataset.screen = chosen.screen;
  at("night").setAttribute("aria-pressed", String(chosen.night));
  for (const name of ["view", "screen"]) {
    for (const radio of document.querySelectorAll(`[name=${name}]`)) radio.checked = radio.value === chosen[name];
  }
  const isList = chosen.view === "list";
  at("stream").hidden = !isList;
  at("stage").hidden = isList;
  if (isList) stream.relook();
  else stream.clear();
  stage.relook();
}

function cycle(name, values) {
  setLook(name, values[(values.indexOf(chosen[name]) + 1) % values.length]);
  if (name === "view") showView();
}

function showView() {
  showCurrent();
  setReading(true);
}

// -- keys

const KEYS = {
  " ": turn,
  Enter: openChosen,
  Escape: () => panel.isOpen && panel.close(),
  ArrowRight: () => step(1),
  ArrowDown: () => step(1),
  j: () => step(1),
  ArrowLeft: () => step(-1),
  ArrowUp: () => step(-1),
  k: () => step(-1),
  "/": () => { at("search").focus(); at("search").select(); },
  "?": () => at("keys").showModal(),
  p: nextProblem,
  e: () => reading.entry && edit(reading.entry, deck),
  n: () => setLook("night", !chosen.night),
  d: () => cycle("screen", SCREENS),
  v: () => cycle("view", VIEWS),
  PageDown: () => stage.scroll(1),
  PageUp: () => stage.scroll(-1),
  Home: () => visible.length && go(visible[0].key),
  End: () => visible.length && go(visible.at(-1).key),
};
const IN_LIST = new Set(["Home", "End", "ArrowDown", "ArrowUp", " ", "Enter"]);

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const {target} = event;
  const isField = target.matches?.("input:not([type=radio]), textarea, select, [contenteditable]");
  if (isField) return onFieldKey(event);
  if (target.matches?.("button, summary, a") && (event.key === " " || event.key === "Enter")) return;
  if (target.matches?.("input[type=radio]") && (event.key.startsWith("Arrow") || event.key === " ")) return;
  if (chosen.view === "list" && IN_LIST.has(event.key)) return;
  if (event.key.startsWith("Page") && !isSeen(at("stage"))) return;       // a list scrolls by itself
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function onFieldKey(event) {
  if (event.target === at("search")) {
    if (event.key === "Escape") {
      event.target.value = "";
      event.target.blur();
      narrow();
      event.preventDefault();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      choose();
      at("rows").focus();
      event.preventDefault();
    }
  } else if (event.key === "Enter") {          // a typed answer is given
    event.preventDefault();
    stage.flip();
  } else if (event.key === "Escape") event.target.blur();
}

// -- what is heard

document.addEventListener("keydown", onKey);
document.addEventListener("said", ({detail}) => {
  said = detail;
  drawStatus();
  setTimeout(() => { said = ""; drawStatus(); }, 6000);
});
at("search").addEventListener("input", narrow);
at("night").addEventListener("click", () => setLook("night", !chosen.night));
at("helps").addEventListener("click", () => at("keys").showModal());
at("pushes").addEventListener("click", () => push.open());
at("skip").addEventListener("click", event => {       // to no address: that is the card's
  event.preventDefault();
  openCard();
});
addEventListener("hashchange", () => open(named(location.hash.slice(1))));
keepWithinReach({
  bar: at("tools"), panel: at("looks"), first: [at("view"), at("screen")], last: [at("helps")],
});
for (const name of ["view", "screen"]) {
  at(name).addEventListener("change", event => {
    setLook(name, event.target.value);
    if (name === "view") showView();
  });
}
deck.addEventListener("deck", draw);
deck.addEventListener("run", () => { drawStatus(); drawRows(); });
deck.addEventListener("lost", () => { drawStatus(); drawCurrent(); });

// The token of the address is a cookie now.
if (location.search) history.replaceState(history.state, "", `/${location.hash}`);
document.body.classList.toggle("reads", history.state?.reads ?? location.hash !== "");
applyLook();
deck.open();
