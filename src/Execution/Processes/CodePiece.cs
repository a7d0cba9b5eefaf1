namespace Orleans.Joblib;

/// <summary>An assembly that a worker process does not find by itself.</summary>
/// <param name="Name">Its simple name.</param>
/// <param name="Mvid">Its module version id.</param>
/// <param name="Path">Its file; null when it has none.</param>
/// <param name="Bytes">Its bytes when it has no file.</param>
internal sealed record CodePiece(string Name, Guid Mvid, string? Path, ReadOnlyMemory<byte> Bytes)
{
    internal static Frame Write(CodeItem item, string? path, byte[] bytes) => Frame.Of(
        FrameKind.Code,
        writer =>
        {
            writer.WriteString(item.Name);
            writer.WriteRaw(item.Mvid);
            writer.WriteOptionalString(path);
        },
        bytes);

    internal static CodePiece Read(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        var name = reader.ReadString();
        var mvid = reader.ReadRaw<Guid>();
        var path = reader.ReadOptionalString();
        return new CodePiece(name, mvid, path, body.AsMemory(body.Length - reader.Left));
    }
}
