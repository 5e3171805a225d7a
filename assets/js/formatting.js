// The formatting buttons: each puts Markdown round what is selected, as if it
// had been typed, so that undo takes it back.
const marks = {
  bold: ["**", "**", "bold text"],
  italic: ["*", "*", "emphasis"],
  code: ["`", "`", "code"],
  link: ["[", "](https://)", "words of the link"],
  image: ["\n\n![", '](/assets/figures/ "The caption.")\n\n', "what it shows"],
};
const lines = {
  heading: ["## ", "A heading"],
  quote: ["> ", "A quotation"],
  callout: ["> ", "Its text."],
};

export function formatting(bar, text) {
  const type = (insertion) => {
    text.focus();
    if (!document.execCommand("insertText", false, insertion)) {
      text.setRangeText(insertion, text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };
  const wrap = ([before, after, otherwise]) => {
    const chosen = text.value.slice(text.selectionStart, text.selectionEnd) || otherwise;
    const start = text.selectionStart + before.length;
    type(before + chosen + after);
    text.setSelectionRange(start, start + chosen.length);
  };
  const prefix = ([mark, otherwise], title) => {
    const start = text.value.lastIndexOf("\n", text.selectionStart - 1) + 1;
    text.setSelectionRange(start, text.selectionEnd);
    const chosen = text.value.slice(start, text.selectionEnd) || otherwise;
    type(title + chosen.split("\n").map((line) => mark + line).join("\n"));
  };
  const act = (kind) => {
    if (marks[kind]) wrap(marks[kind]);
    else prefix(lines[kind], kind === "callout" ? "> [!note] A title\n" : "");
  };

  const buttons = [...bar.querySelectorAll("button")];
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) act(button.dataset.md);
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length);
    buttons.forEach((button) => (button.tabIndex = button === next ? 0 : -1));
    next.focus();
  });
}
