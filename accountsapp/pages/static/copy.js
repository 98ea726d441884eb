// A button below each text that is to be copied. Without scripts, or where a page may not use the clipboard, there
// is none: a click selects the whole text.
for (const text of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "secondary copy";
  button.textContent = text.dataset.copy;
  button.setAttribute("aria-describedby", text.id);
  const status = document.createElement("span");
  status.className = "small";
  status.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    status.textContent = text.dataset.copied;
  });
  const row = document.createElement("p");
  row.className = "buttons";
  row.append(button, status);
  text.parentElement.after(row);
}
