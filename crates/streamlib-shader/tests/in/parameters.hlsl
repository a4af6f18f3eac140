// Every kind of parameter.
// In two lines.

#define HALF 0.5
static const float TWO = 2;

/// How much.
float strength < float min = 0; float max = 2; > = HALF * TWO;
float3 tint < description = "Colour of the light"; > = float3(1, 0.5, 0);
int steps <min = 1; max = 16;> = 4;
uint seed : register(c3) = 0x10u;
bool invert = true;
bool3 channels = { true, false, true };
float2x3 affine = { 1, 2, 3, 4, 5, 6 };
row_major float3x2 rows = float3x2(1, 2, 3, 4, 5, 6);
float4x4 many[2];
float weights[3] = { 0.25, 0.5, 0.25 };
float4 grey = 0.5;
float unused = -1.5e-1;
cbuffer More : register(b3) {
    float2 centre : packoffset(c0); // in a block
    float radius = 0.25;
};
StructuredBuffer<float3> points : register(t0);
SamplerState blocky <filter = "nearest"; address = "repeat">;
const float GAIN = 1.0;

float4 main(float2 uv : TEXCOORD0, float4 position : SV_Position) : SV_Target
{
    float4 c = input.Sample(blocky, uv + centre) + float4(mul(affine, tint), mul(rows, tint.xy).x, radius);
    c += input.Sample(linear_sampler, uv, int2(1, 0)) * weights[steps & 1] * strength * many[0]._m01 * GAIN;
    c += grey + points[seed].xyzz + position + time + float4(resolution, delta, frame_number);
    c += camera_pose[0] + camera_intrinsics;
    return invert && channels.x ? 1 - c : c;
}
