// A button beside each password that shows what was typed. Without scripts there is none.
for (const field of document.querySelectorAll("input[type=password][data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "show";
  button.textContent = field.dataset.show;
  button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-controls", field.id);
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  });
  const row = document.createElement("span");
  row.className = "with-button";
  const hadFocus = document.activeElement === field;
  field.replaceWith(row);
  row.append(field, button);
  if (hadFocus) field.focus();
  field.form.addEventListener("submit", () => { field.type = "password"; });
}
