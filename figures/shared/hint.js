/** Which keys a figure knows; style shows it while the figure is used with the keyboard. */
export function hint(...keys) {
  const element = document.createElement("p");
  element.className = "hint";
  element.append(keys.join(" · "));
  return element;
}
