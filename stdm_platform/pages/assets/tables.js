"use strict";
// Tables that sort by a click on a heading or by Enter on it; a value that is not known comes last either way.
(function () {
  const valueOf = (row, place) => {
    const cell = row.cells[place];
    const raw = cell.getAttribute("data-raw");
    return raw === null ? cell.textContent : raw;
  };
  const compare = (isNumber, direction) => (one, other) => {
    if (one.value === other.value) return one.place - other.place;
    if (one.value === "" || one.value === "–") return 1;
    if (other.value === "" || other.value === "–") return -1;
    const order = isNumber ? Number(one.value) - Number(other.value) : one.value.localeCompare(other.value);
    return direction * order || one.place - other.place;
  };
  const sort = (table, heading) => {
    const isNumber = heading.classList.contains("number");
    const before = heading.getAttribute("aria-sort");
    const next = before === "descending" || (before === null && !isNumber) ? "ascending" : "descending";
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", next);
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row, place) => ({ row, place, value: valueOf(row, heading.cellIndex) }));
    rows.sort(compare(isNumber, next === "ascending" ? 1 : -1));
    body.append(...rows.map((each) => each.row));
  };
  window.makeSortable = (table) => {
    for (const heading of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.title = heading.title || "Sort";
      button.addEventListener("click", () => sort(table, heading));
      heading.replaceChildren(button);
    }
  };
  document.querySelectorAll("table.sortable").forEach(window.makeSortable);
})();
