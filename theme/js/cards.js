// Cards: `<a data-card="ID" href="#elsewhere">` opens the popover `#ID`, for citations, footnotes, whatever.
// Hovering opens it for as long as the pointer is near; a click, a tap or Enter opens it to stay, until Escape, a click
// elsewhere, or the link again. A link in a card may open another one over it. With `data-preview` the click of a mouse
// follows the link. Without this script, or in a browser without popovers, the link is a link. reach.js loads it.

const OPEN_AFTER = 120; // ms: a pointer that only passes opens nothing
const CLOSE_AFTER = 250; // ms: time to get from the link into the card
const GAP = 8; // px between card and link, and between card and window

let shown = null; // {card, link, kept, under}: what is open, and what that was opened from
let timer = 0;
let pressed = null; // the link whose kept card was open when the pointer went down: the click closes it
let byMouse = false;

const linkAt = (node) => node instanceof Element ? node.closest("a[data-card]") : null;
const cardAt = (node) => node instanceof Element ? node.closest(".card[popover]") : null;

function later(act, delay) {
  clearTimeout(timer);
  timer = setTimeout(act, delay);
}

/** What is open of which the node is a part: the card, or the link that opened it. */
function partOf(node) {
  const link = linkAt(node);
  const card = cardAt(node);
  let open = shown;
  while (open && open.link !== link && open.card !== card) open = open.under;
  return open;
}

function open(link, kept) {
  const card = document.getElementById(link.dataset.card);
  if (!card?.showPopover || card.contains(link)) return null;
  clearTimeout(timer);
  if (shown?.link !== link) close(partOf(cardAt(link)));
  if (!card.matches(":popover-open")) {
    link.style.anchorName = "--card";
    card.showPopover({ source: link });
    place(card, link);
    turnTo(card, link.getAttribute("href"));
    link.setAttribute("aria-expanded", "true");
    shown = { card, link, kept: false, under: shown };
  }
  shown.kept ||= kept;
  return card;
}

/** A card of several works begins with the one that was pointed at. */
function turnTo(card, address) {
  const leads = (part) => part.querySelector(`:scope > a[href="${CSS.escape(address)}"]`);
  const own = [...card.children].find(leads);
  card.scrollTop = own ? own.offsetTop - card.firstElementChild.offsetTop : 0;
}

/** Closes what is open, down to a card that stays. */
function close(rest = null) {
  clearTimeout(timer);
  while (shown && shown !== rest) {
    if (shown.card.matches(":popover-open")) shown.card.hidePopover(); // which forgets it
    else forget();
  }
}

function forget() {
  if (!shown) return;
  shown.link.style.anchorName = "";
  shown.link.setAttribute("aria-expanded", "false");
  shown = shown.under;
}

// A style sheet that anchors cards (`position-area`) has done it; else the card goes below the link, or above.
function place(card, link) {
  if ((getComputedStyle(card).positionArea ?? "none") !== "none") return;
  const mark = link.getClientRects()[0] ?? link.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const left = Math.max(GAP, Math.min(mark.left, clientWidth - width - GAP));
  const below = mark.bottom + GAP + height <= clientHeight || mark.top < height + GAP;
  const top = below ? mark.bottom + GAP : mark.top - GAP - height;
  Object.assign(card.style, { position: "absolute", inset: "auto", margin: "0" });
  card.style.left = `${left + scrollX}px`;
  card.style.top = `${top + scrollY}px`;
}

function hovered(event) {
  if (event.pointerType === "touch") return;
  const link = linkAt(event.target);
  const near = partOf(event.target);
  if (near && near.link !== link && near !== shown && !shown.kept) later(() => close(near), CLOSE_AFTER); // back to the card under it
  else if (near === shown) clearTimeout(timer);
  if (link && near?.link !== link && (!shown?.kept || shown === near)) later(() => open(link, false), OPEN_AFTER);
}

function left(event) {
  if (event.pointerType === "touch") return;
  if (partOf(event.relatedTarget) || !(linkAt(event.target) || cardAt(event.target))) return;
  let rest = shown;
  while (rest && !rest.kept) rest = rest.under;
  if (shown !== rest) later(() => close(rest), CLOSE_AFTER);
  else if (!shown) clearTimeout(timer);
}

/** Whether no pointer has made a click: Firefox counts that of Enter as one, and says that nothing points. */
function byKeyboard({ detail, pointerType }) {
  return detail === 0 || pointerType === "";
}

function clicked(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = linkAt(event.target);
  if (!link) {
    if (shown && event.target instanceof Element && event.target.closest(".card a[href^='#']")) close(); // off to the list
    return;
  }
  if (!byKeyboard(event) && byMouse && "preview" in link.dataset) return close();
  const again = pressed === link;
  pressed = null;
  if (again) {
    event.preventDefault();
    close(partOf(link)?.under); // where pressing it has not closed it already
    return;
  }
  const card = open(link, true);
  if (!card) return;
  event.preventDefault();
  if (byKeyboard(event)) card.focus({ preventScroll: true }); // Tab goes on through the card's links
}

// Popovers close by themselves, on Escape or a click elsewhere; focus that was inside goes back to the link.
function toggled(event) {
  if (event.newState !== "closed" || event.target !== shown?.card) return;
  const { card, link } = shown;
  forget();
  if (card.contains(document.activeElement)) link.focus({ preventScroll: true });
}

if (typeof document !== "undefined" && "popover" in HTMLElement.prototype) {
  if (document.querySelector("a.reference")) await import("./previews.js");
  document.addEventListener("pointerover", hovered);
  document.addEventListener("pointerout", left);
  document.addEventListener("pointerdown", (event) => {
    const link = linkAt(event.target);
    pressed = link && shown?.kept && shown.link === link ? link : null;
    byMouse = event.pointerType === "mouse";
  }, true);
  document.addEventListener("click", clicked);
  document.addEventListener("beforetoggle", toggled, true);
  for (const link of document.querySelectorAll("a[data-card]")) {
    if (!document.getElementById(link.dataset.card)) continue;
    link.setAttribute("aria-haspopup", "dialog");
    link.setAttribute("aria-expanded", "false");
  }
  const under = document.querySelector("a[data-card]:hover");
  if (under) hovered({ target: under }); // it is where the pointer was when this was loaded
}
