// Bends straight lines, or straightens what a lens has bent.
//
// Each pixel looks up the picture at radius r (1 + k1 r² + k2 r⁴), r in focal lengths from the principal point. Both
// come from `camera_intrinsics` when the camera is known; else the focal length is the picture's width and the point
// its middle.
// With the k1 and k2 of a calibrated camera this removes its distortion.
// Source: D. C. Brown, "Decentering distortion of lenses", 1966 (radial part).

float k1 <min = -2; max = 2; description = "Second-order coefficient"> = 0.9;
float k2 <min = -2; max = 2; description = "Fourth-order coefficient"> = 0.3;
float4 background <min = 0; max = 1; description = "Colour where there is no picture"> = { 0.0, 0.0, 0.0, 1.0 };

float4 main(float2 uv : TEXCOORD) : SV_Target {
    bool known = camera_intrinsics.x > 0;
    float2 focal = known ? camera_intrinsics.xy : resolution.xx;
    float2 principal = known ? camera_intrinsics.zw : resolution / 2;
    float2 ray = (uv * resolution - principal) / focal;
    float r2 = dot(ray, ray);
    float2 at = (ray * (1 + k1 * r2 + k2 * r2 * r2) * focal + principal) / resolution;
    bool inside = all(at >= 0) && all(at <= 1);
    return inside ? tex2D(input, at) : background;
}
