// Keeps a previewed page up to date. The preview server puts this script into pages as it serves them; no published
// page has it. It hears of every build by server-sent events and then does the least that is right: nothing if the
// page is the same, new style sheets if only those changed, else a reload that ends where the reader was.

const STORE = "fanlight-preview-place";
const SETTLING = 1500; // ms after a reload in which figures and fonts may still move what the reader was looking at
const base = new URL("../", import.meta.url);
const mark = document.querySelector("script[data-preview-version]");

let version = Number(mark.dataset.previewVersion);
let events = null;
let dismissed = "";

restorePlace();
listen();
document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
addEventListener("pagehide", hush);
addEventListener("pageshow", (event) => event.persisted && listen());

// A browser opens six connections to a host, and each visible page keeps one: hidden pages give theirs back, and learn
// when they are shown again whether they are still what the server has.
function listen() {
  if (events || document.hidden) return;
  events = new EventSource(new URL("events", import.meta.url));
  events.onmessage = ({data}) => heed(JSON.parse(data));
  events.onerror = () => {
    if (events?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    hush();
    setTimeout(listen, 2000);
  };
}

function hush() {
  events?.close();
  events = null;
}

function heed(news) {
  showProblems(news.problems);
  showBuilding(news.building);
  if (news.version === version) return;
  const missed = news.since !== version;
  version = news.version;
  if (missed || news.pages === null || news.pages.includes(ownPath())) reload();
  else if (news.styles) swapStyles(...news.styles);
}

// The path in the site of the page that is shown, as the build names it.
function ownPath() {
  const path = decodeURIComponent(location.pathname).slice(decodeURIComponent(base.pathname).length);
  return path === "" || path.endsWith("/") ? `${path}index.html` : path;
}

// Style sheets lie in a folder named by the digest of all assets; new ones are laid over the old before those go.
function swapStyles(before, after) {
  for (const old of document.querySelectorAll('link[rel="stylesheet"]')) {
    if (!old.href.includes(before)) continue;
    const fresh = old.cloneNode();
    fresh.href = old.href.replace(before, after);
    fresh.addEventListener("load", () => old.remove());
    fresh.addEventListener("error", () => fresh.remove());
    old.after(fresh);
  }
}

// ---- the place in the page -------------------------------------------------------------------------------------

function reload() {
  hush();
  const line = innerHeight / 4;
  const places = document.querySelectorAll(":is(h1, h2, h3, h4, h5, h6, figure, section, table, li)[id]");
  const above = [...places].map((node) => ({id: node.id, top: node.getBoundingClientRect().top}));
  const {id, top} = above.filter((place) => place.top <= line).reduce((a, b) => (b.top > a.top ? b : a), {
    id: null,
    top: -Infinity
  });
  const place = {path: location.pathname, id, offset: id === null ? 0 : top, x: scrollX, y: scrollY};
  sessionStorage.setItem(STORE, JSON.stringify(place));
  history.scrollRestoration = "manual";
  location.reload();
}

function restorePlace() {
  const stored = sessionStorage.getItem(STORE);
  sessionStorage.removeItem(STORE);
  if (stored === null) return;
  const place = JSON.parse(stored);
  if (place.path !== location.pathname) return;
  const go = () => {
    const node = place.id === null ? null : document.getElementById(place.id);
    const top = node ? scrollY + node.getBoundingClientRect().top - place.offset : place.y;
    if (Math.abs(top - scrollY) > 1) scrollTo({left: place.x, top, behavior: "instant"});
  };
  const settling = new ResizeObserver(go);
  const stop = () => {
    settling.disconnect();
    removeEventListener("load", go);
    for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) removeEventListener(type, stop);
    history.scrollRestoration = "auto";
  };
  go();
  settling.observe(document.body);
  addEventListener("load", go);
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(type, stop, {passive: true});
  setTimeout(stop, SETTLING);
}

// ---- errors and progress over the page -------------------------------------------------------------------------

function showProblems(problems) {
  const page = document.querySelector("body.page ol.problems"); // the preview's own page, where no site is built yet
  if (page && problems.length > 0) return page.replaceChildren(...problems.map(problemItem));
  const key = JSON.stringify(problems);
  const shown = overlay();
  const old = shown.querySelector(".errors");
  if (old?.dataset.key === key || (!old && dismissed === key)) return;
  old?.remove();
  dismissed = "";
  if (problems.length === 0) return;
  const close = element("button", {type: "button", textContent: "Hide"});
  const box = element("section", {className: "errors"}, [
    element("header", {}, [
      element("h2", {textContent: problems.length === 1 ? "1 error" : `${problems.length} errors`}),
      close
    ]),
    element("ol", {className: "problems"}, problems.map(problemItem))
  ]);
  box.dataset.key = key;
  box.setAttribute("role", "alert");
  close.onclick = () => {
    dismissed = key;
    box.remove();
  };
  shown.append(box);
}

function problemItem({place, message}) {
  return element("li", {}, [element("code", {textContent: place}), element("span", {textContent: message})]);
}

function showBuilding(text) {
  const shown = overlay();
  shown.querySelector(".building")?.remove();
  if (text) shown.append(element("div", {className: "building", textContent: text}));
}

// A shadow root: neither the site's styles reach the preview's marks, nor theirs the site.
function overlay() {
  let host = document.querySelector("fanlight-preview");
  if (!host) {
    host = document.body.appendChild(document.createElement("fanlight-preview"));
    Object.assign(host.style, {position: "fixed", zIndex: 2147483647}); // whatever grid and layers the body has
    const root = host.attachShadow({mode: "open"});
    root.append(element("link", {rel: "stylesheet", href: new URL("preview.css", import.meta.url).href}));
  }
  return host.shadowRoot;
}

function element(name, properties, children = []) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}
