using System.Globalization;
using Xunit;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Random chains of views of random shapes and orders, beside the same chains over a function from indexes to elements.</summary>
public sealed class ArrayModelTests(ITestOutputHelper output)
{
    [Fact]
    public void Views_AnyChain_SeeTheModelsElements()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("JOBLIB_ARRAYS_SEED") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        output.WriteLine($"JOBLIB_ARRAYS_SEED={seed}");
        var random = new Random(seed);
        using var folder = new TempFolder();
        for (var round = 0; round < 400; round++)
        {
            var shape = Enumerable.Range(0, random.Next(0, 5)).Select(_ => (nint)random.Next(random.Next(4) == 0 ? 0 : 1, 7)).ToArray();
            var order = random.Next(2) == 0 ? ArrayOrder.C : ArrayOrder.Fortran;
            using var array = MemmappedArray<int>.Create(folder[$"{round}.npy"], shape, order);
            var model = new Model(shape, indexes => Number(indexes));
            foreach (var indexes in model.Indexes())
            {
                array[indexes] = Number(indexes);
            }

            var view = array;
            var chain = $"{shape.Length} dimensions, {order}";
            for (var step = random.Next(0, 6); step > 0; step--)
            {
                (view, model, var what) = Next(view, model, random);
                chain += $" → {what}";
            }

            Check(view, model, $"seed {seed}, round {round}: {chain}");
        }

        static int Number(nint[] indexes) => indexes.Aggregate(1, (number, index) => (number * 7) + (int)index);
    }

    private static (MemmappedArray<int> View, Model Model, string What) Next(MemmappedArray<int> view, Model model, Random random)
    {
        var rank = view.Rank;
        switch (random.Next(rank == 0 ? 3 : 0, 5))
        {
            case 0:
                var axis = random.Next(rank);
                var whole = view.Lengths[axis];
                var step = (nint)random.Next(1, 4) * (random.Next(2) == 0 ? 1 : -1);
                var start = whole == 0 ? 0 : (nint)random.Next((int)whole);
                var most = whole == 0 ? 0 : step > 0 ? ((whole - 1 - start) / step) + 1 : (start / -step) + 1;
                var length = (nint)random.Next((int)most + 1);
                return (view.Slice(axis, start, length, step), model.With(axis, length, index => start + (index * step)), $"slice {axis} {start} {length} {step}");

            case 1:
                axis = random.Next(rank);
                if (view.Lengths[axis] == 0)
                {
                    goto default;
                }

                var at = (nint)random.Next((int)view.Lengths[axis]);
                return (view.Pick(axis, at), model.Without(axis, at), $"pick {axis} {at}");

            case 2:
                var axes = Enumerable.Range(0, rank).ToArray();
                random.Shuffle(axes);
                return (view.Transpose(axes), model.Turned(axes), $"transpose {string.Join(',', axes)}");

            case 3 when view.IsContiguous && view.Order == ArrayOrder.C:
                nint[] flat = [(nint)view.Length];
                var before = model;
                return (view.Reshape(flat), new Model(flat, indexes => before.At(before.Unflattened(indexes[0]))), "reshape");

            default:
                return (view, model, "same");
        }
    }

    [Fact]
    public void AsReadOnlyTensorSpan_DimensionsInterleave_IsRefusedWithTheRemedy()
    {
        using var folder = new TempFolder();
        using var array = MemmappedArray<int>.Create(folder["interleaved.npy"], [4, 3, 6], ArrayOrder.Fortran);
        using var view = array.Slice(1, 0, 2, 2);
        Assert.True(Interleaves(view));
        Assert.Contains("ToArray()", Assert.Throws<InvalidOperationException>(() => view.AsReadOnlyTensorSpan().Rank).Message, StringComparison.Ordinal);
        Assert.Equal(48, view.ToArray().Length);
    }

    /// <summary>Whether an element of one dimension lies between those of another.</summary>
    private static bool Interleaves(MemmappedArray<int> view)
    {
        (nint Stride, nint Length)[] dimensions = [.. Enumerable.Range(0, view.Rank).Where(axis => view.Lengths[axis] > 1).Select(axis => (view.Strides[axis], view.Lengths[axis])).Order()];
        return dimensions.Zip(dimensions.Skip(1)).Any(pair => pair.Second.Stride < pair.First.Stride * pair.First.Length);
    }

    private static void Check(MemmappedArray<int> view, Model model, string what)
    {
        Assert.True(model.Shape.SequenceEqual(view.Lengths.ToArray()), what);
        var expected = model.Indexes().Select(model.At).ToArray();
        Assert.True(expected.SequenceEqual(model.Indexes().Select(indexes => view[indexes])), what);
        Assert.True(expected.SequenceEqual(view.ToArray()), what);
        Assert.True(expected.Length == view.Length, what);
        if (view.IsContiguous)
        {
            var inMemory = view.Order == ArrayOrder.C ? expected : [.. model.Turned([.. Enumerable.Range(0, model.Shape.Length).Reverse()]) is var turned ? turned.Indexes().Select(turned.At) : []];
            Assert.True(inMemory.SequenceEqual(view.AsReadOnlySpan().ToArray()), what);
            Assert.True(inMemory.SequenceEqual(view.AsReadOnlyMemory().ToArray()), what);
        }

        if (Enumerable.Range(0, view.Rank).All(axis => view.Strides[axis] >= 0 || view.Lengths[axis] < 2) && !Interleaves(view))
        {
            var span = view.AsReadOnlyTensorSpan();
            foreach (var indexes in model.Indexes())
            {
                Assert.True(span[indexes.Length == 0 ? [0] : indexes] == model.At(indexes), what);
            }
        }

        // Files and payloads hold any view.
        using var stream = new MemoryStream();
        Joblib.Dump(view, stream);
        stream.Position = 0;
        var loaded = Joblib.Load<MemmappedArray<int>>(stream);
        Assert.True(expected.SequenceEqual(loaded.ToArray()), what);
        var sent = Travel.Copy(view);
        Assert.True(expected.SequenceEqual(sent.ToArray()), what);
        Assert.True(view.Strides.SequenceEqual(sent.Strides), what);
        Assert.True(expected.SequenceEqual(Travel.Copy(loaded).ToArray()), what);
    }

    private sealed record Model(nint[] Shape, Func<nint[], int> At)
    {
        internal IEnumerable<nint[]> Indexes()
        {
            var count = Shape.Aggregate((nint)1, (product, length) => product * length);
            for (nint i = 0; i < count; i++)
            {
                yield return Unflattened(i);
            }
        }

        internal nint[] Unflattened(nint flat)
        {
            var indexes = new nint[Shape.Length];
            for (var axis = Shape.Length - 1; axis >= 0; axis--)
            {
                indexes[axis] = flat % Shape[axis];
                flat /= Shape[axis];
            }

            return indexes;
        }

        internal Model With(int axis, nint length, Func<nint, nint> index) =>
            new([.. Shape.Select((old, i) => i == axis ? length : old)], indexes => At([.. indexes.Select((old, i) => i == axis ? index(old) : old)]));

        internal Model Without(int axis, nint index) =>
            new([.. Shape.Where((_, i) => i != axis)], indexes => At([.. indexes[..axis], index, .. indexes[axis..]]));

        internal Model Turned(int[] axes) => new([.. axes.Select(axis => Shape[axis])], indexes =>
        {
            var before = new nint[axes.Length];
            for (var i = 0; i < axes.Length; i++)
            {
                before[axes[i]] = indexes[i];
            }

            return At(before);
        });
    }
}
