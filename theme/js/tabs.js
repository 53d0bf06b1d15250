/**
 * Panels that stand one below the other become tabs, by the pattern of WAI-ARIA: arrow keys go from tab to tab, and what
 * has the focus is shown. Sets with items of one `data-sync` follow each other. What a link or a search in the page leads
 * to is shown, in whatever panel it is.
 */

const sets = [...document.querySelectorAll(".tabs")].map(make);

function make(root) {
  const panels = [...root.children].filter((child) => child.matches(".tab"));
  const list = document.createElement("div");
  list.className = "tab-list";
  list.setAttribute("role", "tablist");
  const set = { root, panels, tabs: [] };
  set.tabs = panels.map((panel, at) => {
    const title = panel.querySelector(".tab-title");
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = title.id;
    title.removeAttribute("id");
    tab.append(...[...title.childNodes].map((node) => node.cloneNode(true)));
    for (const link of tab.querySelectorAll("a")) link.replaceWith(...link.childNodes); // a button holds no links
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    tab.addEventListener("click", () => choose(set, at));
    panel.setAttribute("role", "tabpanel");
    panel.addEventListener("beforematch", () => show(set, at));
    list.append(tab);
    return tab;
  });
  list.addEventListener("keydown", (event) => move(set, event));
  root.prepend(list);
  show(set, Math.max(0, panels.findIndex((panel) => "selected" in panel.dataset)));
  root.classList.add("is-ready");
  return set;
}

function show(set, chosen) {
  set.tabs.forEach((tab, at) => {
    tab.setAttribute("aria-selected", String(at === chosen));
    tab.tabIndex = at === chosen ? 0 : -1;
    if (at === chosen) set.panels[at].removeAttribute("hidden");
    else set.panels[at].setAttribute("hidden", "until-found"); // a search in the page finds it
  });
}

// The set that was used stays where it is in the window, however tall the others, above it, become.
function choose(set, chosen) {
  const before = set.root.getBoundingClientRect().top;
  show(set, chosen);
  const key = set.panels[chosen].dataset.sync;
  for (const other of key ? sets : []) {
    const at = other.panels.findIndex((panel) => panel.dataset.sync === key);
    if (other !== set && at >= 0) show(other, at);
  }
  scrollBy({ top: set.root.getBoundingClientRect().top - before, behavior: "instant" });
}

function move(set, event) {
  const at = set.tabs.indexOf(event.target.closest("[role=tab]"));
  const last = set.tabs.length - 1;
  const [onward, back] = getComputedStyle(set.root).direction === "rtl" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  const to = { [onward]: at === last ? 0 : at + 1, [back]: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
  if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  choose(set, to);
  set.tabs[to].focus();
}

function reveal() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (const set of sets) {
    const at = set.panels.findIndex((panel) => panel.contains(target));
    if (at < 0 || !set.panels[at].hidden) continue;
    show(set, at);
    target.scrollIntoView();
  }
}

addEventListener("hashchange", reveal);
reveal();
