/**
 * Makes tables sortable: puts a button into each header cell, so that without scripts the page is complete and shows no dead
 * buttons. Cells sort by `data-value` where they have one, unknown values last; the sort is stable, and a third click restores
 * the first order. Also opens every `<details>` while printing.
 */
export const PAGE_SCRIPT: string = `
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0], original = [...body.rows];
  const key = (row, column) => {
    const cell = row.cells[column], value = cell.dataset.value ?? cell.textContent;
    return value === "" ? null : cell.dataset.value !== undefined && !Number.isNaN(+value) ? +value : value;
  };
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const numeric = header.classList.contains("right");
      const order = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
      const next = order[order.indexOf(header.getAttribute("aria-sort")) + 1];
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      if (!next) return body.append(...original);
      header.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      body.append(...original.map((row) => [key(row, column), row]).sort(([a], [b]) =>
        a === b ? 0 : a === null ? 1 : b === null ? -1 :
        sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }))
      ).map(([, row]) => row));
    });
  });
}
addEventListener("beforeprint", () => { for (const details of document.querySelectorAll("details")) details.open = true; });
`.trim();
