import type { Machine } from './machine.ts';
import type { Row } from './row.ts';
import type { Spread } from './spread.ts';
import { formatted } from './table.ts';

interface Bar {
  readonly label: string;
  /** The id of the row that it shows; none for what the others are multiples of. */
  readonly row?: string;
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const panels: readonly Panel[] = [
  {
    title: 'Requests a second, cached token (bare Express = 1; longer is better)',
    bars: [
      { label: 'bare Express' },
      { label: 'one hash of the token, and nothing else', row: 'throughput-hash-bare-1' },
      { label: 'k8s-service-account-auth and two guards', row: 'throughput-library-bare-1' },
      { label: 'behind kube-rbac-proxy', row: 'throughput-kube-rbac-proxy-bare-1' },
      { label: 'express-oauth2-jwt-bearer', row: 'throughput-jwt-bearer-bare-1' },
    ],
  },
  {
    title: 'Look-up of a cached token (one hash of it = 1; shorter is better)',
    bars: [
      { label: 'one hash of the token' },
      { label: 'k8s-service-account-auth, 1 token', row: 'cached-hash-1' },
      { label: 'token cache of kube-apiserver, 1 token', row: 'go-hash-1' },
      { label: 'k8s-service-account-auth, 10,000 tokens', row: 'cached-hash-10000' },
      { label: 'token cache of kube-apiserver, 10,000 tokens', row: 'go-hash-10000' },
    ],
  },
  {
    title: 'First requests a second, 64 at once (client-node = 1; longer is better)',
    bars: [
      { label: '@kubernetes/client-node as it comes' },
      { label: 'one pooled undici.request, body by hand', row: 'undici-client-node' },
      { label: 'k8s-service-account-auth', row: 'first-requests-client-node' },
    ],
  },
];

const width = 760;
const labelWidth = 300;
const barsWidth = width - labelWidth - 80;
const lineHeight = 22;

/** GitHub's own colours, on a background of its own: wherever it is shown, its text can be read. */
const style = [
  'text{font:12px system-ui,sans-serif;fill:#1f2328}',
  '.page{fill:#ffffff}',
  '.title{font-weight:600}',
  '.quiet{fill:#59636e}',
  '.ours{fill:#326ce5}',
  '.other{fill:#afb8c1}',
  'path{stroke:#1f2328}',
  '@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117}.quiet{fill:#9198a1}.ours{fill:#6b9bff}.other{fill:#656c76}' +
    'path{stroke:#f0f6fc}}',
].join('');

/** The results as a picture: what was measured, with its quartiles. The same results make the same picture. */
export function chart(rows: readonly Row[], { cpu, cores, node, go }: Machine): string {
  const values = new Map(rows.map(({ id, value }) => [id, value]));
  const one: Spread = { median: 1, low: 1, high: 1, rounds: 1 };
  const shapes: string[] = [];
  let y = 16;
  for (const { title, bars } of panels) {
    const known = bars.flatMap(({ label, row }) => {
      const value = row === undefined ? one : values.get(row);
      return value === undefined ? [] : [{ label, value }];
    });
    if (known.length < 2) continue;
    y += 14;
    shapes.push(text(16, y, title, 'class="title"'));
    y += 12;
    const longest = Math.max(...known.map(({ value }) => value.high));
    for (const { label, value } of known) {
      shapes.push(...bar(y, label, value, barsWidth / longest));
      y += lineHeight;
    }
    y += 12;
  }
  shapes.push(
    text(16, y + 6, `${cpu}, ${cores} cores; Node ${node}${go ? `; ${go}` : ''}. Lines: quartiles.`, 'class="quiet"'),
  );
  const height = y + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>Benchmarks of k8s-service-account-auth and its peers</title>',
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" rx="6" class="page"/>`,
    ...shapes,
    '</svg>',
    '',
  ].join('\n');
}

function bar(y: number, label: string, { median, low, high }: Spread, scale: number): string[] {
  const whose = label.startsWith('k8s-service-account-auth') ? 'ours' : 'other';
  const middle = y + lineHeight / 2;
  const [from, to] = [labelWidth + low * scale, labelWidth + high * scale].map((x) => x.toFixed(1));
  return [
    text(labelWidth - 8, middle + 4, label, 'text-anchor="end"'),
    `<rect x="${labelWidth}" y="${y + 3}" width="${(median * scale).toFixed(1)}" height="${lineHeight - 6}" class="${whose}"/>`,
    `<path d="M${from} ${middle}H${to}"/>`,
    text(labelWidth + high * scale + 6, middle + 4, formatted(median)),
  ];
}

const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`;

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
