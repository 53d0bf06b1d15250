/**
 * Every block of code gets a button that copies it. What is drawn by the style sheet, the numbers of lines, is not part of
 * it. Without this script there is no button: the text can be selected.
 */

const SHOWN = 2000; // ms that a button says what became of it

const said = document.createElement("p"); // read aloud when it changes
said.className = "visually-hidden";
said.setAttribute("role", "status");

async function copy(button, code) {
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    done = "Press Ctrl+C"; // the browser will not have it: the text is selected, the reader can copy it
    getSelection().selectAllChildren(code);
  }
  button.textContent = said.textContent = done;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    button.textContent = "Copy";
    said.textContent = "";
  }, SHOWN);
}

function add(block) {
  const code = block.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "code-copy";
  button.textContent = "Copy";
  button.setAttribute("aria-description", "the code");
  button.addEventListener("click", () => copy(button, code));
  block.append(button);
}

if (navigator.clipboard) {
  document.body.append(said);
  for (const block of document.querySelectorAll(".code-block:has(code)")) add(block);
}
