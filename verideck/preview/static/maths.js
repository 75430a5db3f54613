// Sets maths by the MathJax that Anki has, of the same version and with the same settings, in the
// document of a frame. MathJax is fetched when the first formula is shown.

const HERE = new URL("mathjax/", import.meta.url).pathname.replace(/\/$/, "");
const PACKAGES = ["noerrors", "mathtools"];
const MARKS = /\\[([]/;

// A menu could not be opened where nothing is executed, and would bring sheets of its own.
class NoMenu {
  settings = {};
  menu = {store: {sort() {}}};
}

let loading = null;
let waiting = Promise.resolve();
let sheet = "";

function load() {
  window.MathJax = {
    tex: {
      displayMath: [["\\[", "\\]"]],
      processEscapes: false,
      processEnvironments: false,
      processRefs: false,
      packages: {"[+]": PACKAGES, "[-]": ["textmacros"]},
    },
    loader: {
      load: PACKAGES.map(name => `[tex]/${name}`), paths: {mathjax: HERE}, versionWarnings: false,
    },
    chtml: {
      fontURL: `${HERE}/output/chtml/fonts/woff-v2`,
    },
    options: {enableMenu: false, MenuClass: NoMenu},
    startup: {typeset: false},
  };
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = `${HERE}/tex-chtml-full.js`;
    script.onload = () => window.MathJax.startup.promise.then(done, failed);
    script.onerror = () => failed(new Error("MathJax is not there"));
    document.head.append(script);
  }).then(() => {
    // MathJax would put its sheet into this page, and add to it what new formulas need. It belongs
    // into the frames, whose documents change; this page's own policy allows no such sheet.
    const {adaptor, document: maths, output} = window.MathJax.startup;
    adaptor.insertRules = (_, rules) => { sheet = `${rules.join("\n")}\n${sheet}`; };
    maths.addStyleSheet = () => {
      const first = output.styleSheet(maths).textContent;
      sheet ||= first;
    };
  });
}

// Set all maths of an element that stands in a frame's document.
export async function setMaths(element) {
  if (!MARKS.test(element.textContent)) return;
  await (loading ??= load());
  const within = element.ownerDocument;
  const set = waiting.then(() => {
    if (!element.isConnected) return undefined;
    window.MathJax.startup.adaptor.document = within;   // styles are those of the frame's policy
    window.MathJax.typesetClear();
    return window.MathJax.typesetPromise([element]);
  });
  waiting = set.catch(() => {});        // one at a time: MathJax holds one list of what it sets
  await set;
  dress(within);
}

function dress(within) {
  let style = within.getElementById("maths");
  if (!style) {
    style = within.createElement("style");
    style.id = "maths";
    within.head.prepend(style);           // a card's own sheet comes behind it, as in Anki
  }
  if (style.textContent !== sheet) style.textContent = sheet;
}
