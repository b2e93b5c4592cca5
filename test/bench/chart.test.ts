import { expect, test } from '@jest/globals';
import { chart } from '../../bench/chart.ts';
import { single } from '../../bench/row.ts';

const machine = { cpu: 'A <fast> CPU', cores: 2, node: 'v24.0.0', go: undefined, load: 2, packages: {} };

test('the chart shows what was measured, and leaves out what was not', () => {
  const measured = {
    id: 'throughput-library-bare-1',
    measure: 'requests/s',
    unit: '× bare Express',
    value: single(0.87),
  };
  const skipped = { ...measured, id: 'throughput-kube-rbac-proxy-bare-1', value: undefined };
  const svg = chart([measured, skipped], machine);
  expect(svg).toContain('>0.87</text>');
  expect(svg).toContain('A &lt;fast&gt; CPU');
  expect(svg).not.toContain('kube-rbac-proxy');
  expect(svg).not.toContain('Look-up');
});

test('the chart needs nothing from elsewhere, and can be read on a dark page', () => {
  const measured = { id: 'cached-hash-1', measure: 'look-up', unit: '× one hash', value: single(1.2) };
  const svg = chart([measured], machine);
  expect(svg.match(/https?:[^"<]*/g)).toEqual(['http://www.w3.org/2000/svg']);
  expect(svg).toContain('prefers-color-scheme:dark');
  expect(svg).toBe(chart([measured], machine));
});
