/**
 * The search of the front page. The index (pagefind) is loaded when the field has the focus; nothing that it says is
 * taken for markup but its highlights. Arrows walk through what is found, Escape goes back and empties the field.
 */

const PAUSE = 120; // ms after the last key
const MOST = 12;
const PLACES = 3; // sections of an article

const box = document.querySelector(".search[data-bundle]");
const field = box?.querySelector(".search-field");
const status = box?.querySelector(".search-status");
const list = box?.querySelector(".search-results");

let index = null;
let asked = 0;

async function load() {
  index ??= import(new URL(box.dataset.bundle, document.baseURI)).then(async (pagefind) => {
    await pagefind.options({ baseUrl: new URL(box.dataset.root, document.baseURI).pathname, excerptLength: 28 });
    await pagefind.init();
    return pagefind;
  });
  try {
    return await index;
  } catch {
    index = null; // with the next key it is tried again
    say("The search could not be loaded.");
    return null;
  }
}

async function search() {
  const words = field.value.trim();
  const turn = ++asked;
  if (!words) return show([], "");
  const pagefind = await load();
  if (!pagefind || turn !== asked) return;
  const found = (await pagefind.search(words)).results;
  const results = await Promise.all(found.slice(0, MOST).map((result) => result.data()));
  if (turn !== asked) return; // the reader has gone on typing
  const count = found.length;
  const shown = count > MOST ? `, the best ${MOST} shown` : "";
  show(results, count ? `${count} ${count === 1 ? "article" : "articles"} found${shown}` : "Nothing found.");
}

function say(text) {
  status.textContent = text;
}

function show(results, text) {
  list.replaceChildren(...results.map(entry));
  say(text);
}

function entry(result) {
  const item = document.createElement("li");
  item.append(link(result.url, result.meta.title ?? result.url, "search-title"), excerpt(result.excerpt));
  const places = result.sub_results.filter(({ url }) => url !== result.url).slice(0, PLACES);
  places.forEach(({ url, title }, n) => {
    if (n === 0) item.append(document.createElement("p"));
    else item.lastElementChild.append(" · ");
    item.lastElementChild.append(link(url, title, "search-place"));
  });
  return item;
}

function link(url, text, name) {
  const anchor = document.createElement("a");
  const address = new URL(url, document.baseURI);
  if (address.origin === location.origin) anchor.href = address.href;
  anchor.className = name;
  anchor.textContent = text;
  return anchor;
}

// The excerpt is HTML: read as a document that runs nothing, and only words and highlights are taken from it.
function excerpt(html) {
  const paragraph = document.createElement("p");
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const node of body.childNodes) {
    if (node.nodeName === "MARK") {
      const mark = document.createElement("mark");
      mark.textContent = node.textContent;
      paragraph.append(mark);
    } else {
      paragraph.append(node.textContent);
    }
  }
  return paragraph;
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    if (document.activeElement === field && !field.value) return;
    field.value = "";
    field.focus();
    search();
  } else if (step) {
    const stops = [field, ...list.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0 || (at === 0 && step < 0) || !stops[at + step]) return;
    stops[at + step].focus();
  } else {
    return;
  }
  event.preventDefault();
}

if (box) {
  let due;
  box.inert = false;
  field.addEventListener("focus", load, { once: true });
  field.addEventListener("input", () => {
    clearTimeout(due);
    due = setTimeout(search, PAUSE);
  });
  box.addEventListener("keydown", walk);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
    }
  });
  if (field.value) search(); // a browser that went back has kept the words
}
