/** Tells whether an element is on the screen, so that only what is seen is drawn. One observer for the whole page. */
import { type Signal, signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';

const signals = new WeakMap<Element, Signal<boolean>>();

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const isVisible = signals.get(target);
    if (isVisible !== undefined) isVisible.value = isIntersecting;
  }
});

/** Returns a reference for an element, and a signal that is true while it is on the screen. */
export function useVisible<T extends Element>(): [RefObject<T | null>, Signal<boolean>] {
  const ref = useRef<T>(null);
  const isVisible = useMemo(() => signal(false), []);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    signals.set(element, isVisible);
    observer.observe(element);
    return () => observer.unobserve(element);
  }, []);
  return [ref, isVisible];
}
