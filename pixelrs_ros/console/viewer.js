// The live picture and the masks over it. Pictures come over a WebSocket of their own; each is asked for when the one
// before has been shown, so that a slow phone sees fewer of them, but none late.
const QUIET_MS = 1500;
const STAMP_BYTES = 8; // before a picture's file: its stamp in nanoseconds, as a string beyond what a number can hold

export default {
  template: `
    <figure class="viewer">
      <div class="viewer-stack">
        <img class="viewer-picture" :class="{ hidden: !shown }" ref="picture" alt="Live picture of the camera"
             title="Click to point: what you have typed is said about this place, or “this one”" @click="point">
        <img class="viewer-masks" :class="{ hidden: !masks || !shown }" ref="masks" alt="">
        <p v-if="problem" class="viewer-problem">{{ problem }}</p>
      </div>
      <figcaption>
        <span role="status">{{ problem ? "" : described }}</span>
        <span aria-hidden="true" class="viewer-rate">{{ rate }}</span>
      </figcaption>
    </figure>`,
  props: { session: String, described: String },
  data() {
    return { problem: "Waiting for the camera …", rate: "", shown: false, masks: false };
  },
  watch: {
    session(name) {
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(name);
    },
  },
  mounted() {
    this.count = 0;
    this.cameAt = 0;
    this.open();
    this.clock = setInterval(() => this.look(), 1000);
  },
  unmounted() {
    clearInterval(this.clock);
    this.socket.onclose = null;
    this.socket.close();
  },
  methods: {
    open() {
      const url = new URL("live", document.baseURI);
      url.protocol = url.protocol.replace("http", "ws");
      this.socket = new WebSocket(url);
      this.socket.binaryType = "arraybuffer";
      this.socket.onopen = () => this.socket.send(this.session);
      this.socket.onmessage = (event) => this.show(new Uint8Array(event.data));
      this.socket.onclose = () => setTimeout(() => this.open(), 1000);
    },
    async show(message) {
      const isPicture = message[0] === "P".charCodeAt(0);
      const file = message.subarray(isPicture ? 1 + STAMP_BYTES : 1);
      if (file.length) {
        const image = isPicture ? this.$refs.picture : this.$refs.masks;
        const old = image.src;
        image.src = URL.createObjectURL(new Blob([file]));
        await image.decode().catch(() => {});
        if (old) URL.revokeObjectURL(old);
      }
      if (isPicture) {
        this.stamp = new DataView(message.buffer, 1, STAMP_BYTES).getBigInt64(0).toString();
        this.count += 1;
        this.cameAt = performance.now();
        this.shown = true;
        this.problem = "";
      } else {
        this.masks = file.length > 0;
      }
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(this.session);
    },
    // The picture fills its box in one direction and is centered in the other.
    point(event) {
      const { naturalWidth, naturalHeight, clientWidth, clientHeight } = this.$refs.picture;
      const scale = Math.min(clientWidth / naturalWidth, clientHeight / naturalHeight);
      const x = (event.offsetX - clientWidth / 2) / (scale * naturalWidth) + 0.5;
      const y = (event.offsetY - clientHeight / 2) / (scale * naturalHeight) + 0.5;
      if (x >= 0 && x < 1 && y >= 0 && y < 1) this.$emit("point", { x, y, stamp: this.stamp });
    },
    look() {
      const quiet = performance.now() - this.cameAt;
      if (this.cameAt && quiet > QUIET_MS) {
        this.problem = `No picture for ${Math.round(quiet / 1000)} s: what you see is old.`;
      }
      this.rate = this.cameAt ? `${this.count} pictures/s` : "";
      this.count = 0;
    },
  },
};
