// The deck as the server has it: rows of keys and hashes, and an entry for each hash.
// A stream tells what changes; what is not known by its hash is fetched, and nothing twice.

const CHUNK = 2000;
const FIRST = 200;            // enough to fill a screen at once
const HIDDEN_FOR = 30_000;    // a browser opens six connections to a server: hidden pages let go

export class Deck extends EventTarget {
  rows = [];                  // [key, hash]
  problems = [];
  summary = {};
  run = {doing: "starting", running: [], done: 0, total: 0};
  hello = {};
  isLost = false;
  #entries = new Map();       // by hash
  #bodies = new Map();        // by hash: promises
  #since = "";
  #stream = null;
  #pending = null;
  #resting = 0;

  open() {
    this.#connect();
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#resting);
      if (document.hidden) {
        this.#resting = setTimeout(() => this.#stream?.close(), HIDDEN_FOR);
      } else if (this.#stream?.readyState === EventSource.CLOSED) {
        this.#connect();
      }
    });
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

  #connect() {
    this.#stream?.close();
    const stream = new EventSource(`/events?since=${this.#since}`);
    this.#stream = stream;
    stream.addEventListener("open", () => this.#setLost(false));
    stream.addEventListener("error", () => {
      this.#setLost(true);
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => this.#connect(), 1000);
    });
    stream.addEventListener("hello", ({data}) => {
      const hello = JSON.parse(data);
      if (this.hello.version && this.hello.version !== hello.version) location.reload();
      this.hello = hello;
    });
    stream.addEventListener("run", ({data}) => {
      this.run = JSON.parse(data);
      this.#tell("run");
    });
    stream.addEventListener("deck", event => {
      this.#since = event.lastEventId;
      this.#patch(JSON.parse(event.data));
    });
  }

  #setLost(isLost) {
    if (this.isLost === isLost) return;
    this.isLost = isLost;
    this.#tell("lost");
  }

  #patch(told) {
    if (told.all) this.rows = told.all;
    for (const [number, hash] of told.set ?? []) this.rows[number] = [this.rows[number][0], hash];
    if (told.splice) this.rows.splice(told.splice[0], told.splice[1], ...told.splice[2]);
    if (told.problems) this.problems = told.problems;
    if (told.summary) this.summary = told.summary;
    this.#fetch();
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
