namespace TravelCases;

public readonly record struct Spot(int X, int Y);
