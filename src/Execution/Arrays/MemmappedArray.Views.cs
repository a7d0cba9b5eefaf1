namespace Orleans.Joblib;

public sealed unsafe partial class MemmappedArray<T>
{
    /// <summary>A view of a part of the first dimension: indexes [start, start + length).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the array.</exception>
    public MemmappedArray<T> Slice(nint start, nint length) => Slice(0, start, length);

    /// <summary>A view of a part of one dimension: <paramref name="length"/> indexes from <paramref name="start"/> on, in steps.</summary>
    /// <param name="axis">The dimension, counted from 0.</param>
    /// <param name="start">The first index.</param>
    /// <param name="length">How many of them.</param>
    /// <param name="step">From one to the next; negative to go backwards. Default: 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the array, or the step is 0.</exception>
    /// <remarks>numpy: <c>a[start:stop:step]</c>.</remarks>
    public MemmappedArray<T> Slice(int axis, nint start, nint length, nint step = 1)
    {
        var (offset, layout) = _layout.Slice(axis, start, length, step);
        return View(offset, layout);
    }

    /// <summary>A view of one index of the first dimension, which the view does not have: a row of a matrix.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such index.</exception>
    /// <remarks>numpy: <c>a[index]</c>.</remarks>
    public MemmappedArray<T> Pick(nint index) => Pick(0, index);

    /// <summary>A view of one index of a dimension, which the view does not have: of axis 1 a column of a matrix.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such index.</exception>
    public MemmappedArray<T> Pick(int axis, nint index)
    {
        var (offset, layout) = _layout.Pick(axis, index);
        return View(offset, layout);
    }

    /// <summary>A view with the dimensions in another order: reversed where no order is given.</summary>
    /// <exception cref="ArgumentException">The axes are not the dimensions' numbers, each once.</exception>
    public MemmappedArray<T> Transpose(params ReadOnlySpan<int> axes) => View(0, _layout.Transpose(axes));

    /// <summary>A view of the same elements, in the order in which they lie in memory, in another shape.</summary>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    /// <exception cref="InvalidOperationException">The array has gaps.</exception>
    public MemmappedArray<T> Reshape(params ReadOnlySpan<nint> lengths) => View(0, _layout.Reshape(lengths, sizeof(T)));
}
