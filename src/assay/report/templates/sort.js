// Sort a table by the column whose head is pressed; once more turns the order around.
document.querySelectorAll("th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var head = button.parentNode, table = head.closest("table"), body = table.tBodies[0];
    var up = head.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th[aria-sort]").forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    var key = function (line) {
      var cell = line.cells[head.cellIndex];
      return cell.hasAttribute("data-v") ? Number(cell.dataset.v) : cell.textContent.trim();
    };
    var none = function (value) { return value === "–" || value === ""; };
    Array.from(body.rows).sort(function (a, b) {
      var x = key(a), y = key(b);
      if (none(x) || none(y)) return none(x) - none(y);
      var order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
      return up ? order : -order;
    }).forEach(function (line) { body.appendChild(line); });
  });
});
