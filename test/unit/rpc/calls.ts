/** A fake supervisor with a fake clock, and calls like those of a client, without a network. */
import assert from 'node:assert/strict';
import { RpcFault } from '../../../src/core/faults.ts';
import { callMethod } from '../../../src/rpc/call.ts';
import type { CallContext, MethodTable } from '../../../src/rpc/method.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ProcessTimes } from '../../../src/rpc/process-times.ts';
import { decodeTexts, type XmlRpcStruct, type XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { FakeClock } from '../../engine/world.ts';
import { CLIENT, REQUEST } from '../../causes.ts';
import { type FakeProgram, FakeApi } from './fake-api.ts';

/** One supervisor and its methods. */
export class Client {
  readonly clock = new FakeClock();
  readonly api: FakeApi;
  readonly methods: MethodTable = createMethodTable();
  readonly context: CallContext;
  readonly hangUp = new AbortController();

  constructor(programs: readonly FakeProgram[]) {
    this.api = new FakeApi(programs, this.clock);
    this.context = {
      api: this.api,
      times: new ProcessTimes(this.api),
      client: CLIENT,
      role: 'admin',
      request: REQUEST,
      signal: this.hangUp.signal,
      reserve: () => undefined,
    };
  }

  /** Calls `supervisor.NAME`, or a full name. A fault is returned as `FAULT number text`. */
  async call(name: string, ...args: readonly XmlRpcValue[]): Promise<XmlRpcValue> {
    try {
      return decodeTexts(
        await callMethod(this.methods, this.context, name.includes('.') ? name : `supervisor.${name}`, args),
      );
    } catch (error) {
      if (error instanceof RpcFault) return `FAULT ${error.code} ${error.faultString}`;
      throw error;
    }
  }

  /** Calls, lets time pass in steps, and returns the answer and the number of milliseconds. */
  async callFor(
    ms: number,
    name: string,
    ...args: readonly XmlRpcValue[]
  ): Promise<{ readonly value: XmlRpcValue; readonly afterMs: number }> {
    let answer: { value: XmlRpcValue; afterMs: number } | null = null;
    let passedMs = 0;
    const call = this.call(name, ...args).then((value) => {
      answer = { value, afterMs: passedMs };
    });
    for (; passedMs <= ms; passedMs += 10) {
      await settle();
      if (answer !== null) break;
      this.clock.advance(10);
    }
    assert.ok(answer !== null, `${name} has not answered after ${ms} ms`);
    await call;
    return answer;
  }

  /** Returns the answer if it is a text. */
  async text(name: string, ...args: readonly XmlRpcValue[]): Promise<string> {
    const value = await this.call(name, ...args);
    assert.ok(typeof value === 'string', JSON.stringify(value));
    return value;
  }

  async info(name: string): Promise<XmlRpcStruct> {
    const value = await this.call('getProcessInfo', name);
    assert.ok(typeof value === 'object' && value !== null, JSON.stringify(value));
    return value as XmlRpcStruct;
  }

  async state(name: string): Promise<XmlRpcValue | undefined> {
    return (await this.info(name))['statename'];
  }
}

/** Runs all pending callbacks without time passing. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
