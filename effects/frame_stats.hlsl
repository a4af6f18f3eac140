// Numbers about the frames, in a corner of the picture: what a sink shows with `stats=on`.
//
// The parameters are what the runtime knows, and it sets those that an effect has, by name: another text may show them otherwise.

float frame_rate <min = 0; description = "Frames a second"> = 0;
float latency_ms <min = 0; description = "From capture to the screen, of late, milliseconds"> = 0;
float latency_p99_ms <min = 0; description = "The same, which 99 of 100 frames stay below"> = 0;
float gpu_ms <min = 0; description = "GPU time of a frame, milliseconds"> = 0;
float missed <min = 0; description = "Pictures of the screen that showed an older frame"> = 0;
float dropped <min = 0; description = "Frames that were dropped"> = 0;
float scale <min = 0.1; max = 8; description = "Size of the letters; with 1 a line is a fortieth of the picture's height"> = 1;

static const uint LINES = 6;
static const uint LABEL = 4;   // Letters of a label, and then a blank.
static const uint NUMBER = 7;  // Letters of a number.
static const uint BLANK = 11;

// Letters of 3 by 5 pixels, row by row, the highest bit is the leftmost pixel: 0 to 9, the point, a blank, D F G I M P R U.
static const uint LETTERS[20] = {
    0x7b6f, 0x2c97, 0x73e7, 0x73cf, 0x5bc9, 0x79cf, 0x79ef, 0x7249, 0x7bef, 0x7bcf, 0x0002, 0x0000,
    0x6b6e, 0x79e4, 0x796f, 0x7497, 0x5fed, 0x7be4, 0x7bad, 0x5b6f
};

// FPS, MS, P99, GPU, MISS, DROP: a byte for each letter. O and S are 0 and 5.
static const uint LABELS[LINES] = { 0x0d11050b, 0x10050b0b, 0x1109090b, 0x0e11130b, 0x100f0505, 0x0c120011 };

static const uint TENS[NUMBER] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };

// The letter at `place`, counted from the right, of a number with so many decimals.
uint letter_of(float value, uint decimals, uint place) {
    uint most = decimals == 0 ? 9999999 : 999999;
    uint number = uint(min(max(value, 0) * TENS[decimals] + 0.5, most));
    if (decimals > 0 && place == decimals) {
        return 10;
    }
    uint digit = decimals > 0 && place > decimals ? place - 1 : place;
    return digit > decimals && number < TENS[digit] ? BLANK : number / TENS[digit] % 10;
}

uint letter(uint row, uint column) {
    if (column < LABEL) {
        return LABELS[row] >> (8 * (LABEL - 1 - column)) & 0xff;
    }
    if (column == LABEL) {
        return BLANK;
    }
    float values[LINES] = { frame_rate, latency_ms, latency_p99_ms, gpu_ms, missed, dropped };
    uint decimals = row == 3 ? 2 : row < 3 ? 1 : 0;
    return letter_of(values[row], decimals, LABEL + NUMBER - column);
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float dot_side = max(1, floor(resolution.y * scale / 240));
    int2 at = int2(floor(uv * resolution / dot_side)) - 2;
    int2 inside = at - 2;
    int2 size = int2(4 * (LABEL + 1 + NUMBER) - 1, 6 * LINES - 1);
    if (any(at < 0) || any(at >= size + 4)) {
        return color;
    }
    float3 shaded = color.rgb * 0.35;
    if (any(inside < 0) || any(inside >= size)) {
        return float4(shaded, color.a);
    }
    uint2 cell = uint2(inside) / uint2(4, 6);
    uint2 pixel = uint2(inside) % uint2(4, 6);
    if (pixel.x == 3 || pixel.y == 5) {
        return float4(shaded, color.a);
    }
    uint is_set = LETTERS[letter(cell.y, cell.x)] >> (14 - 3 * pixel.y - pixel.x) & 1;
    return float4(is_set == 1 ? float3(1, 1, 1) : shaded, color.a);
}
