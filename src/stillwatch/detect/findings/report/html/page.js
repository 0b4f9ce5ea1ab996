"use strict";
(() => {
  const root = document.documentElement;

  // The theme follows the system until a reader chooses; a file on disk cannot remember, and need not.
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.addEventListener("click", () => {
      const choice = button.dataset.themeChoice;
      if (choice === "system") delete root.dataset.theme;
      else root.dataset.theme = choice;
      for (const other of document.querySelectorAll("[data-theme-choice]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
    });
  }

  // Paper is white, and cannot be opened further.
  const opened = [];
  let theme;
  addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      opened.push(details);
    }
  });
  addEventListener("afterprint", () => {
    while (opened.length) opened.pop().open = false;
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  });

  // A link to a finding moves the keyboard there too.
  addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target) target.focus({ preventScroll: true });
  });

  const table = document.getElementById("accounts-table");
  if (!table) return;
  const body = table.tBodies[0];
  const status = document.getElementById("accounts-status");
  const filter = document.getElementById("accounts-filter");
  const total = body.rows.length;

  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    status.textContent = `${shown} of ${total} rows shown`;
  });

  const collator = new Intl.Collator("en");
  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const header = button.closest("th");
      const down = header.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[header.cellIndex].dataset.sort ?? row.cells[header.cellIndex].textContent;
      const rows = [...body.rows].sort((a, b) => collator.compare(key(a).trim(), key(b).trim()));
      if (down) rows.reverse();
      body.append(...rows);
    });
  }
})();
