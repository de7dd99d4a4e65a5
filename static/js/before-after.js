// <before-after>: moves the border between two pictures with its range input (drag, touch, arrow keys).

class BeforeAfter extends HTMLElement {
  connectedCallback() {
    this.range = this.querySelector("input[type=range]");
    this.range.addEventListener("input", () => this.update());
    this.update();
  }

  update() {
    const value = Number(this.range.value);
    this.style.setProperty("--at", `${value}%`);
    this.range.setAttribute("aria-valuetext", `${value} % before, ${100 - value} % after`);
  }
}

customElements.define("before-after", BeforeAfter);
