// A textured 3D scene in motion, ray-traced: five spheres and two turning crates on a tiled floor, late sun, clouds.
//
// Everything is found by formula, in loops of fixed length, so that it is cheap enough for a CPU device. Shadows of
// spheres are soft by how closely a ray to the sun passes them; their contact shade is the part of the sky they hide.

static const float PI = 3.14159265;
static const int SPHERES = 5;
static const int CRATES = 2;
static const float3 SUN = float3(0.585, 0.512, 0.629);
static const float3 SUNLIGHT = float3(2.9, 2.35, 1.7);
static const float FAR = 1000;

struct Hit {
    float distance;
    float3 normal;
    int body; // 0 none, 1 floor, 2.. spheres, 7.. crates
};

float hash(float2 p) {
    p = frac(p * float2(0.3183, 0.3679) + 0.1);
    p += dot(p, p.yx + 19.19);
    return frac(p.x * p.y * 95.43);
}

float noise(float2 p) {
    float2 cell = floor(p);
    float2 part = p - cell;
    part = part * part * (3 - 2 * part);
    float above = lerp(hash(cell), hash(cell + float2(1, 0)), part.x);
    float below = lerp(hash(cell + float2(0, 1)), hash(cell + 1), part.x);
    return lerp(above, below, part.y);
}

// Centre and radius of each sphere, centre and half edge of each crate, and its cosine and sine about the vertical
// axis: the same for the whole frame, set first of all.
static float4 balls[SPHERES];
static float4 crates[CRATES];
static float2 spins[CRATES];

void place() {
    balls[0] = float4(0, 1.1, 0, 1.1);
    [unroll]
    for (int i = 1; i < SPHERES; i++) {
        float radius = 0.34 + 0.07 * i;
        float angle = i * (PI / 2) + time * 0.6;
        float bounce = abs(sin(time * 1.9 + i * 1.3));
        float reach = 2.35 + 0.25 * sin(time * 0.8 + i * 2.1);
        balls[i] = float4(cos(angle) * reach, radius + bounce * 0.85, sin(angle) * reach, radius);
    }
    crates[0] = float4(-3.1, 0.75, 2.5, 0.75);
    crates[1] = float4(3.4, 0.55, -2.6, 0.55);
    spins[0] = float2(cos(time * 0.4), sin(time * 0.4));
    spins[1] = float2(cos(time * 0.55), -sin(time * 0.55));
}

// Into a crate's own space, or out of it with the opposite spin.
float3 turn(float3 v, float2 spin) {
    return float3(spin.x * v.x - spin.y * v.z, v.y, spin.y * v.x + spin.x * v.z);
}

// Distances at which a ray enters and leaves a crate, in the crate's own space; entering after leaving is a miss.
float2 cross_crate(float3 from, float3 along, float half_edge) {
    float3 inverse = 1 / along;
    float3 middle = -from * inverse;
    float3 reach = abs(inverse) * half_edge;
    float3 enter = middle - reach;
    float3 leave = middle + reach;
    return float2(max(max(enter.x, enter.y), enter.z), min(min(leave.x, leave.y), leave.z));
}

Hit trace(float3 from, float3 along) {
    Hit hit;
    hit.distance = FAR;
    hit.normal = float3(0, 1, 0);
    hit.body = 0;
    if (along.y < -0.0001) {
        hit.distance = -from.y / along.y;
        hit.body = 1;
    }
    [unroll]
    for (int i = 0; i < SPHERES; i++) {
        float4 ball = balls[i];
        float3 offset = from - ball.xyz;
        float b = dot(offset, along);
        float inside = b * b - dot(offset, offset) + ball.w * ball.w;
        float near = -b - sqrt(max(inside, 0));
        if (inside > 0 && near > 0.001 && near < hit.distance) {
            hit.distance = near;
            hit.normal = (offset + along * near) / ball.w;
            hit.body = 2 + i;
        }
    }
    [unroll]
    for (int j = 0; j < CRATES; j++) {
        float4 box = crates[j];
        float3 local_from = turn(from - box.xyz, spins[j]);
        float3 local_along = turn(along, spins[j]);
        float2 range = cross_crate(local_from, local_along, box.w);
        if (range.x < range.y && range.x > 0.001 && range.x < hit.distance) {
            float3 at = (local_from + local_along * range.x) / box.w;
            float3 face = abs(at);
            float3 normal = face.x > face.y && face.x > face.z ? float3(sign(at.x), 0, 0)
                : face.y > face.z ? float3(0, sign(at.y), 0) : float3(0, 0, sign(at.z));
            hit.distance = range.x;
            hit.normal = turn(normal, spins[j] * float2(1, -1));
            hit.body = 7 + j;
        }
    }
    return hit;
}

float shadow(float3 at) {
    float light = 1;
    [unroll]
    for (int i = 0; i < SPHERES; i++) {
        float4 ball = balls[i];
        float3 offset = at - ball.xyz;
        float b = dot(offset, SUN);
        float passing = sqrt(max(dot(offset, offset) - b * b, 0)) - ball.w;
        if (b < 0) {
            light *= smoothstep(-0.09, 0.09, passing / max(-b, 0.15));
        }
    }
    [unroll]
    for (int j = 0; j < CRATES; j++) {
        float4 box = crates[j];
        float2 range = cross_crate(turn(at - box.xyz, spins[j]), turn(SUN, spins[j]), box.w);
        if (range.y > 0.002) {
            light *= smoothstep(0.1, -0.02, (range.y - range.x) / (1 + range.y));
        }
    }
    return light;
}

// How much of the sky is open above a point.
float openness(float3 at, float3 normal) {
    float open = 1;
    [unroll]
    for (int i = 0; i < SPHERES; i++) {
        float4 ball = balls[i];
        float3 to = ball.xyz - at;
        float squared = dot(to, to);
        float facing = saturate(dot(normal, to) * rsqrt(squared));
        open *= 1 - 0.9 * facing * saturate(ball.w * ball.w / squared);
    }
    [unroll]
    for (int j = 0; j < CRATES; j++) {
        float4 box = crates[j];
        float3 local = turn(at - box.xyz, spins[j]);
        float away = length(max(abs(local) - box.w, 0));
        open *= 1 - 0.5 * saturate(1 - away / box.w) * saturate(normal.y);
    }
    return open;
}

float3 sky(float3 along) {
    float height = max(along.y, 0);
    float3 color = lerp(float3(1.45, 1.08, 0.82), float3(0.1, 0.28, 0.7), 1 - exp(-6 * height));
    float toward = saturate(dot(along, SUN));
    float glow = toward * toward;
    glow *= glow;
    color += float3(1, 0.5, 0.2) * (glow * glow * 0.5);
    color += SUNLIGHT * smoothstep(0.9975, 0.9990, toward) * 2;
    float2 at = along.xz / (height + 0.12) * 1.4 + time * 0.05;
    float cloud = noise(at) * 0.6 + noise(at * 2.3 + 7) * 0.4;
    cloud = smoothstep(0.48, 0.86, cloud) * smoothstep(0.02, 0.25, height);
    return lerp(color, float3(1.15, 1.0, 0.92), cloud * 0.75);
}

// Surface colour; its alpha is how much it mirrors when looked at straight.
float4 surface(Hit hit, float3 at) {
    if (hit.body == 1) {
        float2 tile = floor(at.xz);
        float2 part = abs(frac(at.xz) - 0.5);
        float veins = noise(at.xz * 5 + noise(at.xz * 2.1) * 3);
        float dark = fmod(abs(tile.x + tile.y), 2) * smoothstep(60, 12, hit.distance);
        float3 color = lerp(float3(0.62, 0.56, 0.5), float3(0.13, 0.17, 0.2), dark);
        color *= 0.72 + 0.4 * veins + 0.18 * hash(tile);
        float joint = smoothstep(0.5 - 0.012 - 0.0016 * hit.distance, 0.5 - 0.006, max(part.x, part.y));
        return float4(lerp(color, 0.08, joint * 0.8), 0.12 * (1 - joint));
    }
    if (hit.body >= 7) {
        int index = hit.body - 7;
        float4 box = crates[index];
        float3 local = turn(at - box.xyz, spins[index]) / box.w;
        float3 normal = abs(turn(hit.normal, spins[index]));
        float2 face = normal.x > 0.5 ? local.zy : normal.y > 0.5 ? local.xz : local.xy;
        float2 edge = abs(face);
        float frame = smoothstep(0.76, 0.78, max(edge.x, edge.y));
        float brace = smoothstep(0.15, 0.13, abs(face.x - face.y)) * (1 - frame);
        float planks = smoothstep(0.02, 0.04, abs(frac(face.y * 2.5) - 0.5));
        float grain = noise(float2(face.x * 3, face.y * 26)) * 0.5 + noise(face * 9) * 0.3;
        float3 color = lerp(float3(0.36, 0.2, 0.1), float3(0.72, 0.46, 0.24), grain + 0.15);
        color *= lerp(0.45 + 0.4 * planks, 1.05, max(frame, brace));
        color *= 0.75 + 0.25 * smoothstep(0, 0.03, abs(max(edge.x, edge.y) - 0.77));
        return float4(color, 0.02);
    }
    if (hit.body == 2) {
        return float4(0.9, 0.88, 0.85, 0.82);
    }
    int number = hit.body - 2;
    float turning = time * (0.8 + 0.2 * number);
    float longitude = atan2(hit.normal.z, hit.normal.x) / PI + turning / PI;
    float stripes = smoothstep(-0.06, 0.06, sin(longitude * PI * 5) * (1 - abs(hit.normal.y)));
    float band = smoothstep(0.2, 0.18, abs(hit.normal.y));
    float3 paint = number == 1 ? float3(0.85, 0.12, 0.1) : number == 2 ? float3(0.95, 0.6, 0.08)
        : number == 3 ? float3(0.08, 0.42, 0.75) : float3(0.1, 0.55, 0.3);
    float3 color = lerp(float3(0.88, 0.85, 0.8), paint, stripes);
    return float4(lerp(color, paint * 0.45, band), 0.07);
}

// Light that leaves a surface by itself, without what it mirrors.
float3 shade(Hit hit, float3 at, float3 along, float3 color) {
    float facing = dot(hit.normal, SUN);
    float light = facing > 0 ? facing * shadow(at + hit.normal * 0.004) : 0;
    float open = openness(at, hit.normal);
    float3 ambient = lerp(float3(0.3, 0.25, 0.21), float3(0.42, 0.5, 0.66), 0.5 + 0.5 * hit.normal.y) * open;
    float3 halfway = normalize(SUN - along);
    float gloss = pow(saturate(dot(hit.normal, halfway)), 60) * (hit.body >= 7 ? 0.1 : 0.5);
    return color * (SUNLIGHT * light + ambient) + SUNLIGHT * (gloss * light);
}

float3 haze(float3 color, float3 along, float distance) {
    float clear = exp(-distance * distance * 0.0007);
    return lerp(sky(normalize(float3(along.x, 0.02, along.z))), color, clear);
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    place();
    float2 screen = (uv * 2 - 1) * float2(resolution.x / resolution.y, -1);
    float orbit = 0.9 + time * 0.22;
    float3 eye = float3(cos(orbit) * 6.6, 2.25 + 0.55 * sin(time * 0.37), sin(orbit) * 6.6);
    float3 forward = normalize(float3(0, 0.95, 0) - eye);
    float3 right = normalize(cross(float3(0, 1, 0), forward));
    float3 up = cross(forward, right);
    float3 along = normalize(forward * 1.75 + right * screen.x + up * screen.y);

    Hit hit = trace(eye, along);
    float3 color;
    if (hit.body == 0) {
        color = sky(along);
    } else {
        float3 at = eye + along * hit.distance;
        float4 material = surface(hit, at);
        float3 mirrored = reflect(along, hit.normal);
        float grazing = 1 - saturate(-dot(along, hit.normal));
        float mirror = material.a + (1 - material.a) * 0.6 * pow(grazing, 5);
        float3 reflected = 0;
        Hit second;
        second.body = -1;
        if (mirror > 0.03) {
            second = trace(at + hit.normal * 0.004, mirrored);
        }
        if (second.body == 0) {
            reflected = sky(mirrored);
        } else if (second.body > 0) {
            float3 there = at + mirrored * second.distance;
            float lit = saturate(dot(second.normal, SUN)) * shadow(there + second.normal * 0.004);
            reflected = surface(second, there).rgb * (SUNLIGHT * lit + float3(0.38, 0.4, 0.45));
            reflected = haze(reflected, mirrored, second.distance);
        }
        color = hit.body == 2 ? 0 : shade(hit, at, along, material.rgb) * (1 - mirror);
        color += reflected * mirror * (hit.body == 2 ? material.rgb : 1);
        color = haze(color, along, hit.distance);
    }

    // Filmic curve (Hejl and Burgess-Dawson, 2010), which encodes for the display as well; then a slight vignette.
    color = max(color * 0.6 - 0.004, 0);
    color = (color * (6.2 * color + 0.5)) / (color * (6.2 * color + 1.7) + 0.06);
    float2 corner = uv - 0.5;
    return float4(color * (1 - dot(corner, corner) * 0.45), 1);
}
