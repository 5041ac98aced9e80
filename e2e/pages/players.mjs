// Each player set up as its makers say, then the lines of the device SDK's README, taken from there word for word. A page
// has one player at a time, so that whatever a refused one leaves behind cannot help the next.
import { run as dashJsLines } from '/readme/dash.js 5.mjs';
import { run as emeLines } from '/readme/Bare EME.mjs';
import { run as hlsJsLines } from '/readme/hls.js 1.mjs';
import { run as shakaLines } from '/readme/Shaka Player 5.mjs';

function script(path) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement('script'), { src: `/players/${path}`, onload: resolve, onerror: () => reject(new Error(path)) });
    document.head.append(element);
  });
}

async function shakaPlayer(scope, onRefused) {
  await script('shaka-player/dist/shaka-player.compiled.js');
  const player = new shaka.Player();
  let first = true;
  const refuse = async (error) => {
    // To unload interrupts a load that is still under way: that error tells of the first one and of nothing else.
    if (!first) return;
    first = false;
    const [, status, problem] = error.data?.[0]?.data ?? [];
    await player.unload();
    onRefused({ error: error.code, status, code: problem && JSON.parse(problem).code });
  };
  await player.attach(scope.video);
  player.addEventListener('error', ({ detail }) => void refuse(detail));
  await shakaLines({ ...scope, player }).catch(refuse);
}

async function dashJs(scope, onRefused) {
  await script('dashjs/dist/modern/umd/dash.all.min.js');
  const player = dashjs.MediaPlayer().create();
  player.on('error', ({ error }) => onRefused({ error: error.code }));
  await dashJsLines({ ...scope, player });
}

async function hlsJs(scope, onRefused) {
  await script('hls.js/dist/hls.min.js');
  class Hls extends globalThis.Hls {
    constructor(configuration) {
      super(configuration);
      this.on(Hls.Events.ERROR, (_, { details, fatal, response }) => fatal && onRefused({ error: details, status: response?.code }));
    }
  }
  await hlsJsLines({ ...scope, Hls });
}

/** Media Source Extensions alone: both streams appended as a whole. */
async function bareEme(scope, onRefused) {
  const { video, manifestUrl } = scope;
  const types = { video: 'video/mp4; codecs="avc1.4d401f"', audio: 'audio/mp4; codecs="mp4a.40.2"' };
  const capabilities = Object.fromEntries(Object.entries(types).map(([kind, contentType]) => [`${kind}Capabilities`, [{ contentType }]]));
  await emeLines({ ...scope, configurations: [{ initDataTypes: ['cenc'], ...capabilities }], showToViewer: (action) => onRefused({ action }) });
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
  await Promise.all(
    Object.entries(types)
      .map(([kind, type]) => [kind, source.addSourceBuffer(type)])
      .map(async ([kind, buffer]) => buffer.appendBuffer(await (await fetch(new URL(`${kind}.mp4`, manifestUrl))).arrayBuffer())),
  );
}

export const PLAYERS = { 'Shaka Player 5': shakaPlayer, 'dash.js 5': dashJs, 'hls.js 1': hlsJs, 'Bare EME': bareEme };
