using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Orleans.Joblib.Samples.SharedArrays;

/// <summary>Lloyd's algorithm, in parts.</summary>
internal static class KMeans
{
    public static float[][] FirstCenters(float[] images, int count) =>
        [.. Enumerable.Range(0, count).Select(i => images.AsSpan(i * Digits.Pixels, Digits.Pixels).ToArray())];

    /// <summary>Finds the nearest center of some rows, and writes which it is into a shared array, in place.</summary>
    public static Part Assign(float[] images, int firstRow, int rowCount, float[][] centers, MemmappedArray<byte> nearest)
    {
        var mine = nearest.AsSpan(firstRow, rowCount);
        var sums = centers.Select(center => new double[center.Length]).ToArray();
        var counts = new int[centers.Length];
        var total = 0.0;
        for (var row = 0; row < rowCount; row++)
        {
            var image = images.AsSpan((firstRow + row) * Digits.Pixels, Digits.Pixels);
            var best = 0;
            var least = float.MaxValue;
            for (var i = 0; i < centers.Length; i++)
            {
                var distance = Squared(image, centers[i]);
                if (distance < least)
                {
                    (best, least) = (i, distance);
                }
            }

            mine[row] = (byte)best;
            counts[best]++;
            total += least;
            var sum = sums[best];
            for (var i = 0; i < image.Length; i++)
            {
                sum[i] += image[i];
            }
        }

        return new Part(sums, counts, total, ProcessMemory.Now());
    }

    /// <summary>The means of what each center got; one that got nothing stays. Parts are added in the calls' order, so every backend adds in the same one.</summary>
    public static float[][] NewCenters(Part[] parts, float[][] before) =>
    [
        .. before.Select((center, i) =>
        {
            var count = parts.Sum(part => part.Counts[i]);
            return count == 0 ? center : Enumerable.Range(0, center.Length).Select(pixel => (float)(parts.Sum(part => part.Sums[i][pixel]) / count)).ToArray();
        }),
    ];

    /// <summary>A short SHA-256 of every row's answer and of the centers, bit for bit: equal on two backends if all are.</summary>
    public static string Check(MemmappedArray<byte> nearest, float[][] centers)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(nearest.AsReadOnlySpan());
        foreach (var center in centers)
        {
            hash.AppendData(MemoryMarshal.AsBytes(center.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static float Squared(ReadOnlySpan<float> image, ReadOnlySpan<float> center)
    {
        var distance = TensorPrimitives.Distance(image, center);
        return distance * distance;
    }
}
