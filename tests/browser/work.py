"""What a page does, counted rather than timed: the same on every machine. Milliseconds are the benchmarks'."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

COUNT = """async ([selector, type, times, points]) => {
  const drawing = ['drawImage', 'putImageData', 'fillRect', 'fillText', 'stroke', 'fill'];
  const canvas = CanvasRenderingContext2D.prototype;
  const own = Object.fromEntries(drawing.map((name) => [name, canvas[name]]));
  let [writes, strokes] = [0, 0];
  const eye = new MutationObserver((records) => (writes += records.length));
  eye.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  for (const name of drawing) canvas[name] = function (...given) { strokes++; return own[name].apply(this, given); };
  const items = [...document.querySelectorAll(selector)];
  for (let i = 0; i < times; i++) {
    const item = items[(i * points) % items.length];
    const box = item.getBoundingClientRect();
    const [clientX, clientY] = [box.left + ((i * 37) % box.width), box.top + ((i * 23) % box.height)];
    const init = { clientX, clientY, bubbles: true, pointerType: 'mouse' };
    item.dispatchEvent(type === 'click' ? new MouseEvent(type, init) : new PointerEvent(type, init));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  writes += eye.takeRecords().length;
  eye.disconnect();
  Object.assign(canvas, own);
  return [writes, strokes];
}"""


@dataclass(frozen=True)
class Work:
    """What one event costs, on average: changes of the document, layouts, calls that draw on a canvas."""

    writes: float
    layouts: float
    strokes: float


def work_of(page: Page, selector: str, event: str = "pointerover", *, times: int = 60, apart: int = 137) -> Work:
    """Send an event to one item after another, `apart` of each other, each in a frame of its own; return its work."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def layouts() -> float:
        found = session.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) for metric in found if metric["name"] == "LayoutCount")

    page.evaluate(COUNT, [selector, event, times, apart])  # what only the first ones do is done
    before = layouts()
    writes, strokes = page.evaluate(COUNT, [selector, event, times, apart])
    return Work(writes / times, (layouts() - before) / times, strokes / times)
