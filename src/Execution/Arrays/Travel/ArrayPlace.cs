namespace Orleans.Joblib;

/// <summary>What kind of file an array is in.</summary>
internal enum ArrayPlace : byte
{
    /// <summary>One of an array store.</summary>
    Segment = 0,

    /// <summary>The user's own, which was mapped already.</summary>
    File = 1,

    /// <summary>The file that the message itself is in.</summary>
    Part = 2,
}
