/** Draws the plots out of what the page carries as JSON. Without it everything but the plots is there. */
export const pageScript = `
'use strict';
(() => {
  const { plots, marks } = JSON.parse(document.getElementById('data').textContent);
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const bytes = (value) => {
    const power = Math.min(4, Math.floor(Math.log2(Math.max(1, value)) / 10));
    return +(value / 1024 ** power).toFixed(1) + ' ' + units[power];
  };
  const text = (unit, value) => value == null ? '–' : unit === 'bytes' ? bytes(value) : unit === 'ms' ? +value.toFixed(value < 10 ? 2 : 0) + ' ms' : Math.round(value).toLocaleString('en');
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const lines = (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.lineWidth = devicePixelRatio;
    for (const { at, weight } of marks) {
      const x = u.valToPos(at, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = colour('--' + weight);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
  const axis = (more) => ({ stroke: colour('--soft'), grid: { stroke: colour('--grid'), width: 1 }, ticks: { stroke: colour('--grid'), width: 1 }, font: '12px system-ui, sans-serif', ...more });
  const draw = (place, { unit, lines: drawn }, range) => {
    const data = uPlot.join(drawn.map(({ x, y }) => [x, y]));
    const dots = data[0].length < 60;
    return new uPlot({
      width: place.clientWidth, height: 208, padding: [8, 8, 0, 0],
      scales: { x: { time: false, range: () => range }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      series: [
        { label: 'at', value: (u, value) => value == null ? '–' : value.toFixed(2) + ' s' },
        ...drawn.map(({ label }, i) => ({ label, stroke: colour('--line-' + i % 2), width: 1.5, spanGaps: true, points: { show: dots, size: 4 }, value: (u, value) => text(unit, value) })),
      ],
      axes: [axis({ values: (u, ticks) => ticks.map((tick) => +tick.toFixed(3) + ' s') }), axis({ size: 72, ...(unit === 'bytes' ? { incrs: Array.from({ length: 50 }, (_, i) => 2 ** i) } : {}), values: (u, ticks) => ticks.map((tick) => text(unit, tick)) })],
      cursor: { sync: { key: 'time' }, drag: { x: false, y: false } },
      hooks: { draw: [lines] },
    }, data, place);
  };
  const all = plots.flatMap((plot) => plot.lines.flatMap(({ x }) => x));
  const [least, most] = all.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
  const range = [least, Math.max(most, least + 0.001)];
  let shown = [];
  const show = () => {
    for (const one of shown) one.destroy();
    shown = plots.map((plot, i) => draw(document.getElementById('plot-' + i), plot, range));
  };
  show();
  addEventListener('resize', () => shown.forEach((one, i) => one.setSize({ width: document.getElementById('plot-' + i).clientWidth, height: 208 })));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
})();
`
