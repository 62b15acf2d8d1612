/** The words of the view of other supervisors in English and Chinese. */

/** Each name has the English and the Chinese text. */
export const PEER_TEXTS = {
  'peers.none': [
    'No other supervisors are configured: set peers= in [dashboard].',
    '未配置其他 Supervisor：请在 [dashboard] 中设置 peers=。',
  ],
  'peers.counts': ['{up} of {n} reachable, {programs} programs', '{n} 个中 {up} 个可达，共 {programs} 个程序'],
  'peers.reachable': ['reachable', '可达'],
  'peers.unreachable': ['not reachable', '不可达'],
  'peers.pending': ['asking …', '正在询问…'],
  'peers.since': ['since {time}', '自 {time}'],
  'peers.self': ['this supervisor', '本 Supervisor'],
  'peers.readOnly': ['read-only there', '在该处只读'],
  'peers.capped': ['There are more programs than shown here.', '程序过多，此处未全部显示。'],
  'peers.noPrograms': ['It has no programs.', '没有程序。'],
  'peers.latency': ['answers in {ms} ms', '响应时间 {ms} 毫秒'],
  'peers.programs': ['Programs of {peer}', '{peer} 的程序'],
  'peers.of': ['{name} on {peer}', '{peer} 上的 {name}'],
  'peers.noLines': ['No lines.', '没有日志。'],
  'peers.more': ['Earlier lines are left out.', '省略了更早的日志。'],
} as const satisfies Readonly<Record<string, readonly [en: string, zh: string]>>;
