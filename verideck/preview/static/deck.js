// The deck as the server has it: rows of keys and hashes, and an entry for each hash.
// A feed tells what changes; what is not known by its hash is fetched, and nothing twice.

import {Feed, patched} from "./feed.js";

const CHUNK = 2000;
const FIRST = 200;            // enough to fill a screen at once
const HIDDEN_FOR = 30_000;    // without a shared worker, a window that nobody sees lets go of its stream

export class Deck extends EventTarget {
  run = {doing: "starting", running: [], done: 0, total: 0};
  hello = {};
  isLost = false;
  #deck = patched(undefined, {});
  #entries = new Map();       // by hash
  #bodies = new Map();        // by hash: promises
  #pending = null;

  open() {
    const hear = told => this.#hear(told);
    if (window.SharedWorker) listenWithOthers(hear);
    else listenAlone(hear);
  }

  get rows() {                // [key, hash]
    return this.#deck.all;
  }

  get problems() {
    return this.#deck.problems;
  }

  get summary() {
    return this.#deck.summary;
  }

  entry(row) {
    return row && this.#entries.get(row[1]);
  }

  body(hash) {
    if (!this.#bodies.has(hash)) {
      const asked = fetch(`/body/${hash}`).then(answer => {
        if (!answer.ok) throw new Error(`no body ${hash}`);
        return answer.json();
      });
      asked.catch(() => this.#bodies.delete(hash));
      this.#bodies.set(hash, asked);
      if (this.#bodies.size > 400) this.#bodies.delete(this.#bodies.keys().next().value);
    }
    return this.#bodies.get(hash);
  }

  get isComplete() {
    return this.rows.every(row => this.#entries.has(row[1]));
  }

  #hear({hello, run, deck, isLost}) {
    if (hello) {
      if (this.hello.version && this.hello.version !== hello.version) location.reload();
      this.hello = hello;
    }
    if (run) {
      this.run = run;
      this.#tell("run");
    }
    if (isLost !== undefined && isLost !== this.isLost) {
      this.isLost = isLost;
      this.#tell("lost");
    }
    if (deck) {
      this.#deck = patched(this.#deck, deck);
      this.#fetch();
    }
  }

  // One at a time: what came meanwhile is looked for again.
  #fetch() {
    this.#pending = (this.#pending ?? Promise.resolve()).then(() => this.#fetchMissing());
  }

  async #fetchMissing() {
    const missing = this.rows.map(row => row[1]).filter(hash => !this.#entries.has(hash));
    const had = this.#entries.size;
    for (let start = 0, size = had ? CHUNK : FIRST; start < missing.length; size = CHUNK) {
      const hashes = missing.slice(start, start + size);
      start += size;
      try {
        const answer = await fetch("/entries", {
          method: "POST",
          headers: {"content-type": "application/json"},
          body: JSON.stringify(hashes),
        });
        for (const [hash, entry] of await answer.json()) this.#entries.set(hash, entry);
      } catch {
        return;               // the server has stopped; its next word asks again
      }
      if (start < missing.length) this.#tell("deck");
    }
    this.#forget();
    this.#tell("deck");
  }

  #forget() {
    if (this.#entries.size < 2 * this.rows.length + 100) return;
    const here = new Set(this.rows.map(row => row[1]));
    for (const hash of this.#entries.keys()) if (!here.has(hash)) this.#entries.delete(hash);
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

function listenWithOthers(hear) {
  const worker = new SharedWorker(new URL("windows.js", import.meta.url), {type: "module"});
  worker.port.addEventListener("message", ({data}) => hear(data));
  worker.port.start();
  addEventListener("pagehide", () => worker.port.postMessage("closes"));
  addEventListener("pageshow", ({persisted}) => persisted && location.reload());
}

function listenAlone(hear) {
  const feed = new Feed(hear);
  let resting = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting);
    if (document.hidden) resting = setTimeout(() => feed.close(), HIDDEN_FOR);
    else if (!feed.isOpen) feed.open();
  });
}
