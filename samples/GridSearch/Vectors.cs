using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>Arithmetic on rows of features. Vectors of one fixed width and one order of addition: the same bits on every thread and silo, however wide its registers.</summary>
/// <remarks>
/// Inlined into loops that are compiled with full optimisation at once: left to the runtime's tiers, the first calls took ten times as long and their times misled.
/// </remarks>
internal static class Vectors
{
    /// <summary>Rows have a multiple of this many features.</summary>
    public const int Lanes = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SquaredDistance(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var a = MemoryMarshal.Cast<float, Vector256<float>>(left);
        var b = MemoryMarshal.Cast<float, Vector256<float>>(right);
        var sum = Vector256<float>.Zero;
        for (var i = 0; i < a.Length; i++)
        {
            var difference = a[i] - b[i];
            sum += difference * difference;
        }

        return Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        var a = MemoryMarshal.Cast<float, Vector256<float>>(left);
        var b = MemoryMarshal.Cast<float, Vector256<float>>(right);
        var sum = Vector256<float>.Zero;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return Sum(sum);
    }

    /// <summary><paramref name="target"/> += <paramref name="factor"/> × <paramref name="source"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaled(Span<float> target, ReadOnlySpan<float> source, float factor)
    {
        var to = MemoryMarshal.Cast<float, Vector256<float>>(target);
        var from = MemoryMarshal.Cast<float, Vector256<float>>(source);
        for (var i = 0; i < to.Length; i++)
        {
            to[i] += from[i] * factor;
        }
    }

    /// <summary>The place of the largest value; of equal ones, the first.</summary>
    public static int IndexOfLargest<T>(ReadOnlySpan<T> values)
        where T : INumber<T>
    {
        var largest = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[largest])
            {
                largest = i;
            }
        }

        return largest;
    }

    private static float Sum(Vector256<float> vector)
    {
        var four = vector.GetLower() + vector.GetUpper();
        return four[0] + four[1] + (four[2] + four[3]);
    }
}
