// Draws each table with class "chart": its first column is the time in seconds, each further one a line. The table
// itself stays for those who cannot see the drawing, and for browsers without scripts.
(() => {
  const draw = (table) => {
    if (table.dataset.drawn) return;
    table.dataset.drawn = "yes";
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    const rows = [...table.tBodies[0].rows];
    const columns = heads.map((_, at) => rows.map((row) => Number(row.cells[at].dataset.value ?? row.cells[at].textContent)));
    const place = document.createElement("div");
    place.setAttribute("aria-hidden", "true");
    table.before(place);
    const style = getComputedStyle(document.body);
    const dashes = [[], [6, 4], [2, 3], [8, 3, 2, 3]];
    const axis = { stroke: style.color, grid: { stroke: "rgba(128,128,128,.25)" } };
    const options = {
      width: table.parentElement.clientWidth, height: 180, axes: [axis, axis],
      series: heads.map((head, at) => at === 0 ? { label: head } : { label: head, stroke: style.color, width: 1.5, dash: dashes[(at - 1) % dashes.length] }),
    };
    const plot = new uPlot(options, columns, place);
    addEventListener("resize", () => plot.setSize({ width: table.parentElement.clientWidth, height: 180 }));
    table.closest("details")?.removeAttribute("open");
  };
  const all = () => document.querySelectorAll("table.chart").forEach(draw);
  all();
  document.addEventListener("htmx:after:swap", all);
})();
