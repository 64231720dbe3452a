"use strict";
// Tables of the class "sortable" sort by a click on a column's head. Without this script they are complete, in the
// order in which they were written.
const collator = new Intl.Collator("en", { numeric: true });

function keyOf(row, column, isNumber) {
  const text = row.cells[column].textContent.trim();
  return isNumber ? Number.parseFloat(text) : text;
}

function isEmpty(key) {
  return key === "" || Number.isNaN(key);
}

function sort(table, head) {
  const isNumber = head.classList.contains("number");
  const first = isNumber ? "descending" : "ascending";
  const other = isNumber ? "ascending" : "descending";
  const order = head.getAttribute("aria-sort") === first ? other : first;
  const sign = order === "ascending" ? 1 : -1;
  for (const cell of head.parentNode.cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const keyed = Array.from(table.tBodies[0].rows, (row) => [keyOf(row, head.cellIndex, isNumber), row]);
  keyed.sort(([one], [two]) => {
    if (isEmpty(one) || isEmpty(two)) return isEmpty(one) - isEmpty(two);
    return sign * (isNumber ? one - two : collator.compare(one, two));
  });
  const rows = document.createDocumentFragment();
  for (const [, row] of keyed) rows.append(row);
  table.tBodies[0].append(rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}
