// A box to draw on the picture that was chosen. It fills in the four numbers of the form: left, top, width, height,
// in pixels of the upright picture. Without scripts, or by keyboard, the numbers are typed.
const LONGEST_SIDE = 480;

for (const chosen of document.querySelectorAll("input[type=file][data-crop]")) {
  const form = chosen.form;
  const numbers = chosen.dataset.crop.split(" ").map((name) => form.elements[name]);
  const canvas = document.createElement("canvas");
  canvas.className = "crop";
  canvas.setAttribute("aria-hidden", "true");
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = chosen.dataset.cropHint;
  canvas.hidden = hint.hidden = true;
  chosen.closest(".field").after(hint, canvas);
  let picture = null;
  let scale = 1;
  let start = null;

  const draw = () => {
    const surface = canvas.getContext("2d");
    surface.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const [left, top, width, height] = numbers.map((field) => Number(field.value) * scale);
    if (!(width > 0 && height > 0)) return;
    surface.fillStyle = "rgb(0 0 0 / .55)";
    surface.beginPath();
    surface.rect(0, 0, canvas.width, canvas.height);
    surface.rect(left, top, width, height);
    surface.fill("evenodd");
    surface.strokeStyle = "#ffffff";
    surface.lineWidth = 2;
    surface.strokeRect(left, top, width, height);
  };

  const point = (event) => {
    const frame = canvas.getBoundingClientRect();
    const inside = (value, most) => Math.min(Math.max(value, 0), most);
    return [
      inside((event.clientX - frame.left) * canvas.width / frame.width, canvas.width),
      inside((event.clientY - frame.top) * canvas.height / frame.height, canvas.height),
    ];
  };

  chosen.addEventListener("change", async () => {
    canvas.hidden = hint.hidden = true;
    picture = null;
    for (const field of numbers) field.value = "0";
    const file = chosen.files[0];
    if (!file) return;
    try {
      picture = await createImageBitmap(file);
    } catch {
      return; // The server says what is wrong with it.
    }
    scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.hidden = hint.hidden = false;
    draw();
  });

  canvas.addEventListener("pointerdown", (event) => {
    start = point(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const end = point(event);
    const box = [
      Math.min(start[0], end[0]), Math.min(start[1], end[1]),
      Math.abs(start[0] - end[0]), Math.abs(start[1] - end[1]),
    ];
    numbers.forEach((field, index) => { field.value = String(Math.round(box[index] / scale)); });
    draw();
  });
  canvas.addEventListener("pointerup", () => { start = null; });
  for (const field of numbers) field.addEventListener("input", () => { if (picture !== null) draw(); });
}
