namespace Orleans.Joblib;

/// <summary>Reads the fields of a struct.</summary>
internal delegate void StructReader<T>(GraphReader reader, ref T value)
    where T : struct;
