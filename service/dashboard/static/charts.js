// Draws what `service/dashboard/charts.py` describes, in the colours of the style sheet.

const scheme = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  for (; Math.abs(bytes) >= 1000 && unit < units.length - 1; unit += 1) bytes /= 1000;
  return `${Number(bytes.toPrecision(3))} ${units[unit]}`;
}

const tick = { bytes: size, share: (value) => `${Number((value * 100).toPrecision(3))} %` };

// Room above and below a line, but no share under nothing or over all.
function roomAround(chart) {
  const values = chart.series.flatMap((series) => series.values).filter((value) => value !== null);
  if (chart.from_zero || !values.length) return { beginAtZero: true };
  const low = Math.min(...values), high = Math.max(...values), room = (high - low) / 10;
  const most = chart.unit === "share" ? 1 : Infinity;
  return { suggestedMin: Math.max(low - room, 0), suggestedMax: Math.min(high + room, most) };
}

function dataset(series, kind) {
  const drawn = colour(series.colour);
  const shared = { label: series.label, data: series.values, texts: series.texts, backgroundColor: drawn };
  if (kind === "bar") {
    return { ...shared, grouped: false, borderRadius: 2, maxBarThickness: 48 };
  }
  const points = series.alarms.map((alarm) => (alarm ? colour("--bad") : drawn));
  return {
    ...shared,
    borderColor: drawn,
    borderWidth: 2,
    pointBackgroundColor: points,
    pointBorderColor: points,
    pointRadius: series.alarms.map((alarm) => (alarm ? 5 : 2)),
  };
}

function options(chart) {
  const soft = colour("--soft"), line = colour("--line");
  return {
    maintainAspectRatio: false,
    animation: still.matches ? false : { duration: 300 },
    interaction: { mode: "index", intersect: false },
    scales: {
      x: { grid: { display: false }, border: { color: line }, ticks: { color: soft, maxRotation: 0, autoSkipPadding: 16 } },
      y: {
        ...roomAround(chart),
        grid: { color: line },
        border: { display: false },
        ticks: { color: soft, maxTicksLimit: 6, callback: tick[chart.unit] },
      },
    },
    plugins: {
      legend: { display: chart.series.length > 1, reverse: true, align: "end", labels: { color: soft, boxWidth: 12, boxHeight: 12 } },
      tooltip: {
        callbacks: {
          label: (item) => `${item.dataset.label}: ${item.dataset.texts[item.dataIndex]}`,
          footer: (items) => chart.notes[items[0].dataIndex] ?? "",
        },
      },
    },
  };
}

function draw(canvas) {
  const chart = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  // The last series is in front, and Chart.js puts its first one there.
  const datasets = chart.series.map((series, index) => ({ ...dataset(series, chart.kind), order: -index }));
  Chart.getChart(canvas)?.destroy();
  new Chart(canvas, { type: chart.kind, data: { labels: chart.labels, datasets }, options: options(chart) });
}

function drawAll() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll("canvas[data-chart]").forEach(draw);
}

drawAll();
scheme.addEventListener("change", drawAll);
still.addEventListener("change", drawAll);
