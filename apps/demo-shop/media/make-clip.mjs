/**
 * Makes the two films of the demo shop anew: `node apps/demo-shop/media/make-clip.mjs` in any folder. What it makes is
 * committed, so that nobody needs this to run, build or test Latchkey. It needs ffmpeg (with libx264) on the machine, and
 * takes Shaka Packager from npm into a folder that it removes again; neither is a dependency of the project. Everything seen
 * and heard is computed here: no content of others.
 *
 * Title, kid and key of each film stand in films.json. ffmpeg's own encryption of fragmented MP4 is not used, because
 * players cannot read what it writes. Each run encrypts with new initialization vectors, so that no two results are equal.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGER = 'shaka-packager@3.4.2';
const SIZE = '640x360';
const FRAMES_PER_SECOND = 24;
const SEGMENT_SECONDS = 3;
/** Shapes are soft, so that computing a quarter of the pixels is enough. */
const COMPUTED_SIZE = '320x180';

/** Each film as expressions of ffmpeg: X and Y in pixels, W and H the size, T seconds; and a chord in hertz. */
const SCENES = {
  'dawn-over-the-bay': {
    // A sun that climbs out of the sea, its glow in the sky and its glitter on three rows of waves.
    red: 'if(lt(Y,SEA), 70+150*Y/H+140*SUN+60*GLOW, 40+60*GLITTER+24*WAVES)',
    green: 'if(lt(Y,SEA), 60+70*Y/H+120*SUN+30*GLOW, 62+55*GLITTER+24*WAVES)',
    blue: 'if(lt(Y,SEA), 130-40*Y/H+10*SUN, 104+20*GLITTER+30*WAVES)',
    terms: {
      SEA: '(H*0.62+3*sin(X/34+T*1.4)+2*sin(X/13-T*0.9))',
      SUN: '(clip((H*0.13-hypot(X-W*0.5,Y-H*(0.66-0.035*T)))/3,0,1))',
      GLOW: '(exp(-hypot(X-W*0.5,Y-H*(0.66-0.035*T))/(H*0.28)))',
      GLITTER: '(exp(-abs(X-W*0.5)/(20+(Y-H*0.6)*0.6))*(0.55+0.45*sin(Y*1.1+T*4+2*sin(X/9))))',
      WAVES: '(sin(X/21+T*1.7+Y/5)*sin(Y/7-T*1.1))',
    },
    chord: [220, 277.18, 329.63],
  },
  'northern-lights': {
    // Two curtains of light over a dark ridge, under stars that do not move.
    red: 'if(lt(Y,RIDGE), 10+40*VIOLET+150*STARS, 4)',
    green: 'if(lt(Y,RIDGE), 14+200*GREEN+20*VIOLET+150*STARS, 8)',
    blue: 'if(lt(Y,RIDGE), 44+80*GREEN+130*VIOLET+150*STARS-20*Y/H, 18)',
    terms: {
      RIDGE: '(H*0.82+9*sin(X/41)+5*sin(X/17+1)+2*sin(X/7))',
      GREEN: '(CURTAIN_A*(0.7+0.3*sin(X/6+T*1.6)))',
      VIOLET: '(CURTAIN_B*(0.7+0.3*sin(X/8-T*1.2)))',
      CURTAIN_A: '(exp(-pow((Y-H*(0.42+0.12*sin(X/52+T*0.7)))/(H*0.14),2)))',
      CURTAIN_B: '(exp(-pow((Y-H*(0.26+0.10*sin(X/43-T*0.5+2)))/(H*0.15),2)))',
      STARS: '(gt(sin(floor(X/2)*12.9898+floor(Y/2)*78.233)*43758.5453-floor(sin(floor(X/2)*12.9898+floor(Y/2)*78.233)*43758.5453),0.9975))',
    },
    chord: [174.61, 220, 261.63],
  },
};

/** An expression with its terms, which may name each other, put in their places. */
function written(expression, terms) {
  const names = new RegExp(Object.keys(terms).join('|'), 'g');
  let text = expression;
  while (names.test(text)) text = text.replace(names, (name) => terms[name]);
  return text;
}

/** A chord that breathes, and fades in and out so that a loop does not click. */
function tone(chord, seconds) {
  const voices = chord.map((hertz, index) => `sin(2*PI*${hertz}*t)*(0.6+0.4*sin(2*PI*t*${(0.21 + index * 0.07).toFixed(2)}))`);
  return `aevalsrc='0.06*(${voices.join('+')})':s=48000:d=${seconds},afade=in:d=1,afade=out:st=${seconds - 1.5}:d=1.5`;
}

function encode({ contentId, durationSeconds }, folder) {
  const { red, green, blue, terms, chord } = SCENES[contentId];
  const [r, g, b] = [red, green, blue].map((expression) => `clip(${written(expression, terms)},0,255)`);
  const picture = `nullsrc=s=${COMPUTED_SIZE}:r=${FRAMES_PER_SECOND}:d=${durationSeconds},format=gbrp,geq=r='${r}':g='${g}':b='${b}',scale=${SIZE.replace('x', ':')}:flags=lanczos`;
  const keyFrames = String(FRAMES_PER_SECOND * SEGMENT_SECONDS);
  const ffmpeg = ['-v', 'error', '-y', '-f', 'lavfi', '-i'];
  const [video, audio] = [join(folder, 'video.mp4'), join(folder, 'audio.mp4')];
  execFileSync('ffmpeg', [...ffmpeg, picture, '-c:v', 'libx264', '-profile:v', 'main', '-pix_fmt', 'yuv420p', '-preset', 'veryslow', '-crf', '27',
    '-g', keyFrames, '-keyint_min', keyFrames, '-sc_threshold', '0', '-bf', '2', '-fflags', '+bitexact', video]);
  execFileSync('ffmpeg', [...ffmpeg, tone(chord, durationSeconds), '-ac', '2', '-c:a', 'aac', '-b:a', '64k', '-fflags', '+bitexact', audio]);
  return { video, audio };
}

/** The binary itself: the package's own starter ends with 0 whatever becomes of it. */
function packagerIn(folder) {
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, PACKAGER], { stdio: 'inherit' });
  const system = { linux: 'linux', darwin: 'osx', win32: 'win' }[process.platform];
  return join(folder, 'node_modules/shaka-packager/bin', `packager-${system}-${process.arch}${system === 'win' ? '.exe' : ''}`);
}

/** One file for each stream, read in ranges; the manifests name the kid and hold no key. */
function encrypt(packager, { kid, key }, { video, audio }, folder) {
  const stream = (kind, input) => `in=${input},stream=${kind},output=${kind}.mp4,playlist_name=${kind}.m3u8,drm_label=FILM`
    + (kind === 'audio' ? ',hls_group_id=audio,hls_name=tone' : '');
  mkdirSync(folder, { recursive: true });
  execFileSync(packager, [
    stream('video', video), stream('audio', audio),
    '--enable_raw_key_encryption', '--keys', `label=FILM:key_id=${kid}:key=${key}`, '--protection_scheme', 'cenc', '--protection_systems', 'CommonSystem',
    '--clear_lead', '0', '--segment_duration', String(SEGMENT_SECONDS), '--generate_static_live_mpd=false',
    '--mpd_output', 'film.mpd', '--hls_master_playlist_output', 'film.m3u8',
  ], { cwd: folder, stdio: 'inherit' });
  // The packager writes the kid into playlists as it should, but names no key system there: hls.js would not ask for a licence.
  for (const kind of ['video', 'audio']) amend(join(folder, `${kind}.m3u8`), 'KEYFORMAT="identity"', 'KEYFORMAT="org.w3.clearkey",KEYFORMATVERSIONS="1"');
  // dash.js prefers a manifest's PSSH box to all else and then fails to start a Clear Key session from it. By the DASH-IF's scheme
  // each player starts from the kid. The boxes in the streams themselves stay.
  amend(join(folder, 'film.mpd'), /<ContentProtection schemeIdUri="urn:uuid:1077efec[^]*?<\/ContentProtection>/g, '<ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0"/>');
}

/** Puts one text in the place of another, which has to be there. */
function amend(file, from, to) {
  const text = readFileSync(file, 'utf8');
  const amended = text.replaceAll(from, to);
  if (amended === text) throw new Error(`${file} holds no ${from}`);
  writeFileSync(file, amended);
}

const here = fileURLToPath(new URL('.', import.meta.url));
const { films } = JSON.parse(readFileSync(join(here, 'films.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'latchkey-clip-'));
try {
  const packager = packagerIn(work);
  for (const film of films) {
    const folder = join(here, film.contentId);
    rmSync(folder, { recursive: true, force: true });
    encrypt(packager, film, encode(film, work), folder);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
