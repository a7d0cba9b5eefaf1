using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Arrays in files of the user's own: for decoders without a store.</summary>
internal sealed class ArrayFiles : IArraySource
{
    internal static ArrayFiles Instance { get; } = new();

    internal static ArrayReference ReferenceTo(IMemmapped array)
    {
        unsafe
        {
            var mapping = array.Mapping;
            var mode = mapping.Mode == MmapMode.Create ? MmapMode.ReadWrite : mapping.Mode;
            return new ArrayReference(
                mapping.Owner is SegmentLock ? ArrayPlace.Segment : ArrayPlace.File,
                mapping.Path!,
                array.Origin is null ? 0 : array.Origin - mapping.Start,
                mode,
                array.Layout.Lengths.ToArray(),
                array.Layout.Strides.ToArray());
        }
    }

    public MemmappedArray<T> Map<T>(ArrayReference reference)
        where T : unmanaged => reference.Place switch
        {
            ArrayPlace.File => Open<T>(reference),
            ArrayPlace.Segment => OpenSegment<T>(reference),
            _ => throw PayloadReader.Malformed("it refers to an array that is elsewhere"),
        };

    public Array Load(ArrayReference reference, Type type) => throw PayloadReader.Malformed("it refers to an array that is elsewhere");

    /// <summary>Opens a segment to use it; see <see cref="ArrayStore.TryOpen"/>.</summary>
    internal static SafeFileHandle OpenSegment(string path, ArraySettings? settings) => ArrayStore.TryOpen(path, settings) ?? throw Gone(path, null);

    internal static MappedFile MapSegment(string path, MmapMode mode, ArraySettings? settings = null)
    {
        var file = OpenSegment(path, settings);
        return MappedFile.Map(file, path, RandomAccess.GetLength(file), mode, new SegmentLock(file, path));
    }

    internal static unsafe MemmappedArray<T> View<T>(MappedFile mapping, ArrayReference reference)
        where T : unmanaged
    {
        var layout = reference.LayoutIn(mapping.Length, sizeof(T));
        return new MemmappedArray<T>(mapping, mapping.Start is null ? null : (T*)(mapping.Start + reference.Offset), layout);
    }

    private static MemmappedArray<T> OpenSegment<T>(ArrayReference reference)
        where T : unmanaged => View<T>(MapSegment(reference.Path, reference.Mode), reference);

    private static MemmappedArray<T> Open<T>(ArrayReference reference)
        where T : unmanaged
    {
        if (!Path.IsPathFullyQualified(reference.Path))
        {
            throw PayloadReader.Malformed("a reference to an array");
        }

        try
        {
            using var file = MappedFile.Open(reference.Path, reference.Mode);
            var length = RandomAccess.GetLength(file);
            unsafe
            {
                reference.LayoutIn(length, sizeof(T));
            }

            return View<T>(MappedFile.Map(file, reference.Path, length, reference.Mode), reference);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Gone(reference.Path, exception);
        }
    }

    private static JoblibException Gone(string path, Exception? cause) => new(
        "array-gone", $"The memory-mapped array '{path}' cannot be opened here{(cause is null ? "" : $": {cause.Message.TrimEnd('.')}")}. Its file has to stay, and to be seen by the workers, as long as calls use it.", cause);
}
