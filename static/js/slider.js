// .slider: a range input and a number input that always show the same value; the number is what is sent.

document.addEventListener("input", (event) => {
  const slider = event.target.closest(".slider");
  if (!slider) return;
  const other = slider.querySelector(event.target.type === "range" ? "input[type=number]" : "input[type=range]");
  if (other.value === event.target.value) return;
  other.value = event.target.value;
  if (event.target.type === "range") other.dispatchEvent(new Event("input", { bubbles: true }));
});
