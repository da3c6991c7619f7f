"use strict";
// Numbers of the viewer. A signal lies in the page as levels: the samples themselves, and the least
// and largest value of each 16, 128, … of them. Each level is base64 text, of which only the pieces
// that are looked at are decoded.
const sondeSignals = (() => {
  const PIECE = 49152, LETTERS = 65536, NONE = 255;  // bytes of a piece, and their base64
  const arrays = {u8: Uint8Array, i16: Int16Array, f32: Float32Array, u32: Uint32Array};

  function decode(letters) {
    const text = atob(letters);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; ++i) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  class Store {
    constructor(id, type, count) {
      this.id = id;
      this.type = arrays[type];
      this.each = PIECE / this.type.BYTES_PER_ELEMENT;
      this.length = 4 * Math.ceil(count * this.type.BYTES_PER_ELEMENT / 3);
      this.pieces = new Map();
    }
    // The browser may still be reading the file.
    get ready() {
      if (this.text !== undefined) return true;
      const element = document.getElementById(this.id);
      if (!element) return false;
      const text = element.textContent;
      if (text.length < this.length) return false;
      this.text = text;
      return true;
    }
    piece(p) {
      let piece = this.pieces.get(p);
      if (!piece) {
        if (this.pieces.size > 400) this.pieces.clear();
        piece = new this.type(decode(this.text.slice(p * LETTERS, (p + 1) * LETTERS)).buffer);
        this.pieces.set(p, piece);
      }
      return piece;
    }
    at(i) { return this.piece(Math.floor(i / this.each))[i % this.each]; }
    all() { return this.ready ? new this.type(decode(this.text).buffer) : new this.type(0); }
  }

  const missing = {u8: 255, i16: -32768, f32: NaN};
  class Track {
    constructor(spec) {
      this.name = spec.name;
      this.offset = spec.offset;
      this.scale = spec.scale;
      this.missing = missing[spec.type];
      this.levels = spec.levels.map((level) => ({
        block: level.block, count: level.count,
        store: new Store(level.id, spec.type, level.count * (level.block > 1 ? 2 : 1)),
      }));
    }
    number(stored) { return stored === this.missing ? NaN : this.offset + this.scale * stored; }
    level(stepsPerPixel) {
      let i = 0;
      while (i + 1 < this.levels.length && this.levels[i + 1].block <= stepsPerPixel) ++i;
      while (i + 1 < this.levels.length && !this.levels[i].store.ready) ++i;
      return this.levels[i].store.ready ? this.levels[i] : null;
    }
    value(step) {
      const level = this.levels[0];
      return level.block === 1 && level.store.ready && step < level.count ? this.number(level.store.at(step)) : NaN;
    }
    // Least and largest value of each column of pixels.
    columns(from, stepsPerPixel, width) {
      const low = new Float32Array(width).fill(Infinity), high = new Float32Array(width).fill(-Infinity);
      const level = this.level(stepsPerPixel);
      if (!level) return {low, high};
      const {block, count, store} = level;
      const end = Math.min(count, Math.ceil((from + width * stepsPerPixel) / block) + 1);
      for (let b = Math.max(0, Math.floor(from / block)); b < end; ++b) {
        const least = this.number(store.at(block > 1 ? 2 * b : b));
        if (Number.isNaN(least)) continue;
        const largest = block > 1 ? this.number(store.at(2 * b + 1)) : least;
        const last = Math.min(width - 1, Math.floor(((b + 1) * block - 1 - from) / stepsPerPixel));
        for (let x = Math.max(0, Math.floor((b * block - from) / stepsPerPixel)); x <= last; ++x) {
          if (least < low[x]) low[x] = least;
          if (largest > high[x]) high[x] = largest;
        }
      }
      return {low, high};
    }
    whole() {
      const level = this.levels[this.levels.length - 1];
      let low = Infinity, high = -Infinity;
      if (level.store.ready)
        for (let i = 0; i < level.count * (level.block > 1 ? 2 : 1); ++i) {
          const value = this.number(level.store.at(i));
          if (value < low) low = value;
          if (value > high) high = value;
        }
      return [low, high];
    }
  }

  class Runs {
    constructor(spec, steps) {
      this.starts = new Store(spec.starts, "u32", spec.count).all();
      this.values = new Store(spec.values, "u8", spec.count).all();
      this.steps = steps;
      this.kinds = this.values.reduce((most, value) => value === NONE ? most : Math.max(most, value + 1), 2);
    }
    find(step) {  // the run that holds the step
      let low = 0, high = this.starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.starts[middle] <= step) low = middle; else high = middle - 1;
      }
      return low;
    }
    end(run) { return run + 1 < this.starts.length ? this.starts[run + 1] : this.steps; }
    at(step) { return this.starts.length ? this.values[this.find(step)] : NONE; }
    each(from, to, see) {
      for (let run = this.find(Math.max(0, from)); run < this.starts.length && this.starts[run] < to; ++run)
        see(Math.max(from, this.starts[run]), Math.min(to, this.end(run)), this.values[run], run);
    }
  }

  // Where a known label and the prediction differ, as runs of 1 (differ) and NONE.
  function differences(labels, predicted, steps) {
    const starts = [], values = [];
    let i = 0, j = 0, at = 0;
    while (at < steps && i < labels.starts.length && j < predicted.starts.length) {
      const value = labels.values[i] !== NONE && labels.values[i] !== predicted.values[j] ? 1 : NONE;
      if (!values.length || values[values.length - 1] !== value) { starts.push(at); values.push(value); }
      const a = labels.end(i), b = predicted.end(j);
      at = Math.min(a, b);
      if (a <= at) ++i;
      if (b <= at) ++j;
    }
    const runs = Object.create(Runs.prototype);
    return Object.assign(runs, {starts: Uint32Array.from(starts), values: Uint8Array.from(values), steps, kinds: 2});
  }

  return {Track, Runs, differences, NONE};
})();
