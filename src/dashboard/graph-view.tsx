/** The graph of dependencies, as a picture and as a list of sentences. */
import { computed } from '@preact/signals';
import { toneOf } from '../ctl/process-status.ts';
import { edgesAround, edgesOf, type Graph, type GraphEdge, type GraphNode, layOut, NODE } from './graph.ts';
import { SYMBOLS } from './process-row.tsx';
import { programHref } from './routes.ts';
import { store } from './session.ts';
import { t } from './texts.ts';

/** Longest name that fits into a node. */
const NAME_LENGTH = 18;

const edges = computed(() => edgesOf(store.entries.value.map(({ status }) => status.value)));

/** Shows all programs that wait for others. */
export function GraphView() {
  return (
    <>
      <h1>{t('nav.graph')}</h1>
      {edges.value.length === 0 ? (
        <p class="empty">{t(store.supervisorState.value === '' ? 'app.loading' : 'graph.none')}</p>
      ) : (
        <section class="card">
          <Picture edges={edges.value} />
        </section>
      )}
    </>
  );
}

/** Shows the programs around one. */
export function ProgramGraph({ name }: { readonly name: string }) {
  const around = edgesAround(name, edges.value);
  if (around.length === 0) return null;
  return (
    <section class="card">
      <h2>{t('nav.graph')}</h2>
      <Picture edges={around} />
    </section>
  );
}

function Picture({ edges: shown }: { readonly edges: readonly GraphEdge[] }) {
  const graph = layOut(shown);
  return (
    <>
      {/* The browser lets the keyboard scroll what has the focus. */}
      <div class="graph" tabIndex={0} role="group" aria-label={t('graph.label')}>
        <svg width={graph.width + 4} height={graph.height + 4} viewBox={`-2 -2 ${graph.width + 4} ${graph.height + 4}`}>
          {shown.map((edge) => (
            <Arrow key={`${edge.from} ${edge.to}`} edge={edge} graph={graph} />
          ))}
          {graph.nodes.map((node) => (
            <Box key={node.name} node={node} />
          ))}
        </svg>
      </div>
      <ul class="sentences" aria-label={t('graph.list')}>
        {shown.map(({ from, to, conditions, isUnmet }) => (
          <li key={`${from} ${to}`} class={isUnmet ? 'busy' : ''}>
            {t(isUnmet ? 'graph.waits' : 'graph.needs', { from, to, condition: conditions.join(' / ') })}
          </li>
        ))}
      </ul>
    </>
  );
}

function Arrow({ edge, graph }: { readonly edge: GraphEdge; readonly graph: Graph }) {
  const placeOf = (name: string): GraphNode | undefined => graph.nodes.find((node) => node.name === name);
  const needed = placeOf(edge.to);
  const waiting = placeOf(edge.from);
  if (needed === undefined || waiting === undefined) return null;
  const [x1, y1] = [needed.x + NODE.width, needed.y + NODE.height / 2];
  const [x2, y2] = [waiting.x, waiting.y + NODE.height / 2];
  const bend = (x2 - x1) / 2;
  return (
    <g class={edge.isUnmet ? 'edge unmet' : 'edge'} aria-hidden="true">
      <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 6} ${y2}`} />
      <path class="head" d={`M${x2} ${y2}l-8 -4v8z`} />
      <text x={x2 - 12} y={y2 - 5} text-anchor="end">
        {edge.conditions.join(' / ')}
      </text>
    </g>
  );
}

function Box({ node: { name, x, y } }: { readonly node: GraphNode }) {
  const status = store.find(name)?.status.value;
  const tone = status === undefined ? 'bad' : toneOf(status);
  const shown = name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH - 1)}…` : name;
  return (
    <a href={programHref(name)} class="box" aria-label={`${name} ${status?.info.statename ?? ''}`}>
      <rect x={x} y={y} width={NODE.width} height={NODE.height} rx="6" />
      <text class={tone} x={x + 10} y={y + 22}>
        {SYMBOLS[tone]}
      </text>
      <text x={x + 28} y={y + 22}>
        {shown}
      </text>
    </a>
  );
}
