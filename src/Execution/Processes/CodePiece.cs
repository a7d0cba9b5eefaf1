namespace Orleans.Joblib;

/// <summary>An assembly or native library that a worker process does not find by itself.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Name">An assembly's simple name; a native library's file name.</param>
/// <param name="Culture">A satellite's culture; else empty.</param>
/// <param name="Mvid">An assembly's module version id.</param>
/// <param name="Path">Its file; null when it has none.</param>
/// <param name="Hash">What the file must hold, where others than the program's user may have come near it; null for whatever it holds.</param>
/// <param name="Bytes">Its bytes when it has no file.</param>
internal sealed record CodePiece(CodeItemKind Kind, string Name, string Culture, Guid Mvid, string? Path, CodeHash? Hash, ReadOnlyMemory<byte> Bytes)
{
    internal static Frame Write(CodeItem item, string? path, byte[] bytes, bool verify = false) => Frame.Of(
        FrameKind.Code,
        writer =>
        {
            writer.WriteByte((byte)item.Kind);
            writer.WriteString(item.Name);
            writer.WriteString(item.Culture);
            writer.WriteRaw(item.Mvid);
            writer.WriteOptionalString(path);
            writer.WriteByte(verify ? (byte)1 : (byte)0);
            if (verify)
            {
                writer.WriteRaw(item.Hash);
            }
        },
        bytes);

    internal static CodePiece Read(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        var kind = (CodeItemKind)reader.ReadByte();
        var name = reader.ReadString();
        var culture = reader.ReadString();
        var mvid = reader.ReadRaw<Guid>();
        var path = reader.ReadOptionalString();
        CodeHash? hash = reader.ReadByte() != 0 ? reader.ReadRaw<CodeHash>() : null;
        return new CodePiece(kind, name, culture, mvid, path, hash, body.AsMemory(body.Length - reader.Left));
    }

    /// <summary>All of it, verified if it is to be.</summary>
    /// <exception cref="JoblibException">The file is not what it was.</exception>
    internal byte[] ReadAll()
    {
        if (Path is null)
        {
            return Bytes.ToArray();
        }

        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(Path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Corrupt("is gone, or cannot be read, while it is in use", exception);
        }

        if (Hash is not { } hash || CodeHash.Of(bytes) == hash)
        {
            return bytes;
        }

        // Whoever keeps it sees that it is gone, and asks for it.
        File.Delete(Path);
        throw Corrupt("changed while it was in use, and has been deleted", null);
    }

    private JoblibException Corrupt(string what, Exception? cause) =>
        new("code-corrupt", $"'{Path}' {what}. It will be sent again: run again, and look for what cleans up or writes to the code cache, or for a failing disk.", cause);
}
